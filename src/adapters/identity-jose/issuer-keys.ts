import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose'
import { IssuerUnavailable } from '../../application/ports/access-tokens.ts'
import type { Clock } from '../../application/ports/clock.ts'

const REFRESH_AFTER_IN_MS = 10 * 60_000
const COOLDOWN_IN_MS = 30_000
const HONOURED_FOR_IN_MS = 24 * 3_600_000
const TIME_OUT_IN_MS = 5_000
const MAX_BYTES = 256 * 1024

interface HeldKeys {
  readonly find: JWTVerifyGetKey
  readonly fetchedAt: number
}

/**
 * Returns a key function for the keys that an identity provider publishes at its JWKS URL.
 *
 * It fetches keys older than ten minutes again, in the background. An unknown key id makes it fetch at once. Either way
 * it asks the issuer at most once in thirty seconds, whether the issuer answers or not. So it knows a new key after
 * thirty seconds at the latest, and drops a removed key with the next answer.
 *
 * While the issuer is unavailable, the keys of its last answer stay valid for 24 hours. The service accepts no token
 * that lives longer than a day, so honest tokens need no more. An attacker who blocks the issuer cannot keep a stolen
 * key alive for longer either.
 *
 * The key function throws `IssuerUnavailable` if the token may be good: if it has no keys, or if they lack the key id
 * and the issuer did not answer last time. jose's own remote set drops its keys when a fetch fails after their age, and
 * does not pause after a failed fetch.
 */
export function issuerKeys(jwksUrl: URL, clock: Clock, fetch = globalThis.fetch): JWTVerifyGetKey {
  let held: HeldKeys | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let failure: unknown

  /** Never rejects: `failure` holds the error until the issuer answers. */
  function refresh(): Promise<void> {
    if (pending || isWithin(COOLDOWN_IN_MS, askedAt, now())) return pending ?? Promise.resolve()

    askedAt = now()
    pending = fetchPublicKeys(jwksUrl, fetch)
      .then((keySet) => {
        held = { find: createLocalJWKSet(keySet), fetchedAt: now() }
        failure = undefined
      })
      .catch((error: unknown) => {
        failure = error ?? new Error('The issuer did not answer')
      })
      .finally(() => {
        pending = undefined
      })
    return pending
  }

  function honoured(): HeldKeys {
    if (held && isWithin(HONOURED_FOR_IN_MS, held.fetchedAt, now())) return held
    throw new IssuerUnavailable(failure)
  }

  function now(): number {
    return clock.now().getTime()
  }

  return async (header, token) => {
    if (!held || !isWithin(HONOURED_FOR_IN_MS, held.fetchedAt, now())) await refresh()
    else if (!isWithin(REFRESH_AFTER_IN_MS, held.fetchedAt, now())) void refresh()

    try {
      return await honoured().find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw blame(error)
    }

    await refresh()
    try {
      return await honoured().find(header, token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey && failure) throw new IssuerUnavailable(failure)
      throw blame(error)
    }
  }
}

/** A clock that was set back ends the period too. Otherwise the period would last as long as the clock was ahead. */
function isWithin(period: number, start: number, now: number): boolean {
  return now >= start && now - start < period
}

/** Any error that is not the token's fault comes from a key of the issuer that cannot be used. */
function blame(error: unknown): unknown {
  const isKnown =
    error instanceof IssuerUnavailable ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  return isKnown ? error : new IssuerUnavailable(error)
}

export async function fetchPublicKeys(
  url: URL,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIME_OUT_IN_MS),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`The issuer answered ${response.status} instead of its keys`)
  }

  const { keys } = JSON.parse(await boundedText(response)) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('The issuer answered without keys')
  return { keys: keys.filter(isPublicKey) }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error(`The issuer answered more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** RFC 7518 §6: `d` is the private half of every asymmetric kind, and `oct` is a secret as a whole. */
function isPublicKey(key: unknown): key is JWK {
  return (
    typeof key === 'object' &&
    key !== null &&
    'kty' in key &&
    ['EC', 'OKP', 'RSA'].includes(key.kty as string) &&
    !('d' in key)
  )
}
