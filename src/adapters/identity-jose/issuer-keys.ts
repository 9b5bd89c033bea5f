import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWK,
  type JWTHeaderParameters,
  type LocalJWKSet,
} from 'jose'
import { IssuerUnavailable } from '../../application/ports/access-tokens.ts'
import type { Clock } from '../../application/ports/clock.ts'
import type { HealthCheck } from '../../contracts/health-check.ts'
import { fetchJson } from './issuer-answer.ts'

const REFRESH_AFTER_IN_MS = 10 * 60_000
const COOLDOWN_IN_MS = 30_000
/** The same while there were no keys yet, for a process that waits for them in order to serve. No token shortens it. */
const FIRST_COOLDOWN_IN_MS = 3000
const HONOURED_FOR_IN_MS = 24 * 3_600_000
/** Each candidate costs a signature check. So a token that names no key cannot cost more than this. */
export const MAX_CANDIDATES = 8

/**
 * Yields the public keys that may have signed a token. A caller that has found the right one stops there.
 *
 * @throws {errors.JWKSNoMatchingKey} instead of the first key, if no key fits.
 * @throws {IssuerUnavailable} if the token may be good, but its key cannot be fetched.
 */
export type CandidateKeys = (header: JWTHeaderParameters) => AsyncIterable<CryptoKey>

export interface IssuerKeys {
  readonly candidates: CandidateKeys
  /** Fails until the issuer has given keys once, and again when the last ones no longer count. */
  readonly health: HealthCheck
}

interface HeldKeys {
  readonly text: string
  readonly count: number
  readonly candidates: CandidateKeys
  readonly fetchedAt: number
}

/**
 * Finds candidates among the keys that an identity provider publishes at its JWKS URL. While the provider publishes the
 * same keys, it yields the same objects.
 *
 * It fetches keys older than ten minutes again, in the background. It fetches them at once if it has no key for a token,
 * or if none of the candidates has signed it: a provider may give its tokens no key id, or put a new key under an old id.
 * Either way it asks the issuer at most once in thirty seconds, whether the issuer answers or not. So it knows a new key
 * after thirty seconds at the latest, and drops a removed key with the next answer.
 *
 * While the issuer is unavailable, the keys of its last answer stay valid for 24 hours. The service accepts no token
 * that lives longer than a day, so honest tokens need no more. An attacker who blocks the issuer cannot keep a stolen
 * key alive for longer either.
 *
 * It throws `IssuerUnavailable` if it has no keys. It also does if its keys lack the key id, or the token names none,
 * and the issuer did not answer last time. jose's own remote set drops its keys when a fetch fails after their age, and
 * does not pause after a failed fetch.
 */
export function issuerKeys(jwksUrl: URL, clock: Clock, fetch = globalThis.fetch): IssuerKeys {
  let held: HeldKeys | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined
  let failure: unknown

  /** Never rejects: `failure` holds the error until the issuer answers. */
  function refresh(cooldownInMs = COOLDOWN_IN_MS): Promise<void> {
    if (pending || isWithin(cooldownInMs, askedAt, now())) return pending ?? Promise.resolve()

    askedAt = now()
    pending = fetchPublicKeys(jwksUrl, fetch)
      .then((keySet) => {
        const text = JSON.stringify(keySet)
        const candidates = held?.text === text ? held.candidates : keysOf(keySet)
        held = { text, candidates, count: keySet.keys.length, fetchedAt: now() }
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

  const health: HealthCheck = {
    name: 'issuer',
    problem: async () => {
      if (!held) await refresh(FIRST_COOLDOWN_IN_MS)
      if (!held) return `the issuer has given no keys yet: ${reasonOf(failure)}`
      // Also lets an idle process notice that its keys grow old.
      if (!isWithin(REFRESH_AFTER_IN_MS, held.fetchedAt, now())) void refresh()
      if (!isWithin(HONOURED_FOR_IN_MS, held.fetchedAt, now()))
        return `the keys of the issuer are too old: ${reasonOf(failure)}`
      return held.count === 0 ? 'the issuer publishes no keys' : undefined
    },
    remark: () =>
      held && failure !== undefined
        ? `the issuer gives no keys, and those of ${new Date(held.fetchedAt).toISOString()} still count: ${reasonOf(failure)}`
        : undefined,
  }

  async function* candidates(header: JWTHeaderParameters) {
    if (!held || !isWithin(HONOURED_FOR_IN_MS, held.fetchedAt, now())) await refresh()
    else if (!isWithin(REFRESH_AFTER_IN_MS, held.fetchedAt, now())) void refresh()

    const known = honoured().candidates
    let isKnown = true
    try {
      yield* known(header)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw blame(error)
      isKnown = false
    }

    await refresh()
    if (failure && (!isKnown || header.kid === undefined)) throw new IssuerUnavailable(failure)
    const renewed = honoured().candidates
    if (renewed === known) {
      if (isKnown) return
      throw new errors.JWKSNoMatchingKey()
    }
    try {
      yield* renewed(header)
    } catch (error) {
      throw blame(error)
    }
  }

  return { candidates, health }
}

/** Without the address, which may have a credential in it. */
function reasonOf(failure: unknown): string {
  if (failure === undefined) return 'it has not answered'
  const { cause, message, name } = failure as Error
  const { code } = (cause ?? failure) as NodeJS.ErrnoException
  if (name === 'TimeoutError') return 'it does not answer'
  return typeof code === 'string'
    ? code
    : /^The issuer answered/.test(message)
      ? message
      : 'its answer makes no sense'
}

/**
 * Finds candidates in a key set. With a key id those are the keys of that id, or else those without an id.
 *
 * Two names of one algorithm fit one another: RFC 9864 renamed `EdDSA` to `Ed25519`, and tokens and keys change their
 * names at different times. jose compares the names.
 */
export function keysOf({ keys }: JSONWebKeySet): CandidateKeys {
  const renamed = keys.map(withoutNameOfEd25519)
  const all = createLocalJWKSet({ keys: renamed })
  const unnamed = createLocalJWKSet({ keys: renamed.filter(({ kid }) => kid === undefined) })

  return async function* candidates({ alg, kid }) {
    if (kid === undefined) {
      yield* some(all, { alg })
      return
    }
    try {
      yield* some(all, { alg, kid })
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      yield* some(unnamed, { alg })
    }
  }
}

async function* some(find: LocalJWKSet, header: JWTHeaderParameters): AsyncGenerator<CryptoKey> {
  try {
    yield (await find(header)) as CryptoKey
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    let left = MAX_CANDIDATES
    for await (const key of error) {
      yield key
      left -= 1
      if (left === 0) return
    }
  }
}

function withoutNameOfEd25519(key: JWK): JWK {
  const { alg, ...unnamed } = key
  return key.crv === 'Ed25519' && (alg === 'EdDSA' || alg === 'Ed25519') ? unnamed : key
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
    error instanceof errors.JOSENotSupported
  return isKnown ? error : new IssuerUnavailable(error)
}

async function fetchPublicKeys(url: URL, fetch = globalThis.fetch): Promise<JSONWebKeySet> {
  return publicKeysIn((await fetchJson(url, fetch)).json)
}

export function publicKeysIn(json: unknown): JSONWebKeySet {
  const { keys } = Object(json) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('The issuer answered without keys')
  return { keys: keys.filter(isPublicKey) }
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
