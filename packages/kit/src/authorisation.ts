import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { z } from 'zod'
import type { SummaryLine } from './answers.ts'
import { protectedUrl } from './protected-url.ts'
import { summaryDigest } from './summary-digest.ts'

/** What an authorisation says: this subject approved this operation for this client. */
export interface Authorisation {
  /** The challenge that was consumed (`jti`). */
  readonly challengeId: string
  /** The user who approved (`sub`). */
  readonly subjectUserId: string
  /** The client that the approval is for (`aud`). */
  readonly clientId: string
  /** What was approved. */
  readonly operation: {
    readonly type: string
    readonly digest: string
    /** The digest of what the user read (`summary_digest`). A service of an earlier version does not state it. */
    readonly summaryDigest?: string | undefined
  }
  /** How the subject was authenticated (RFC 8176): `otp` and `email`. */
  readonly amr: readonly string[]
  /** When the user entered the right code (`auth_time`). */
  readonly verifiedAt: Date
  /** When the approval was consumed (`iat`). */
  readonly consumedAt: Date
  /** Until when the authorisation is valid: five minutes after `consumedAt` (`exp`). */
  readonly expiresAt: Date
}

/** What an authorisation has to say to be accepted. */
export interface AuthorisationExpectation {
  /**
   * The keys of the service, or their URL: https, or http on this machine. They are fetched once, and again for a key that is not
   * among them.
   */
  readonly jwks: URL | JSONWebKeySet
  /** The id of the client that the approval has to be for. */
  readonly audience: string
  /** The digest of the operation, from `operationDigest`. */
  readonly digest: string
  /** What the user has to have read. Default: not checked. */
  readonly summary?: readonly SummaryLine[]
  /** The time at which the authorisation has to be valid. Default: now. */
  readonly at?: Date
  /**
   * Whether the URL of the keys may be plain HTTP to another machine, for a network that encrypts by itself, such as a service mesh. Default: false.
   * This machine may always be called over plain HTTP.
   */
  readonly allowPlainHttp?: boolean
}

/** The authorisation is not signed by the service, is about another operation, or is past its time. */
export class AuthorisationRefused extends Error {
  override readonly name = 'AuthorisationRefused'
}

const AUTHORISATION_TYPE = 'countersign-authorisation+jwt'
/** The errors of jose that mean that the keys are unavailable. The authorisation may still be valid then. */
const KEYS_UNAVAILABLE = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

const Claims = z.object({
  jti: z.string(),
  sub: z.string(),
  // With a list of audiences, the authorisation would be valid for another client too.
  aud: z.string(),
  operation: z.object({ type: z.string(), digest: z.string(), summary_digest: z.string().optional() }),
  amr: z.array(z.string()),
  auth_time: z.int(),
  iat: z.int(),
  exp: z.int(),
})

const remoteKeys = new Map<string, JWTVerifyGetKey>()

/**
 * Checks an authorisation. Requests nothing from the service but its keys.
 *
 * @throws {AuthorisationRefused} if it must not be accepted.
 * @throws {TypeError} if the URL of the keys is plain HTTP to another machine: anyone on the way could replace them.
 * @throws the error of `jose` if the keys cannot be fetched; the authorisation may still be valid.
 */
export async function verifyAuthorisation(
  authorisation: string,
  { jwks, audience, digest, summary, at, allowPlainHttp }: AuthorisationExpectation,
): Promise<Authorisation> {
  if (jwks instanceof URL) protectedUrl(jwks, 'jwks', allowPlainHttp)
  const payload = await verifiedPayload(authorisation, jwks, audience, at)
  const { success, data } = Claims.safeParse(payload)
  if (!success) throw new AuthorisationRefused('The authorisation lacks a claim')
  const { type, digest: approved, summary_digest: read } = data.operation
  if (approved !== digest) throw new AuthorisationRefused('The authorisation is about another operation')
  if (summary && read !== summaryDigest(summary)) {
    throw new AuthorisationRefused('The user read another summary')
  }
  return {
    challengeId: data.jti,
    subjectUserId: data.sub,
    clientId: data.aud,
    operation: { type, digest, summaryDigest: read },
    amr: data.amr,
    verifiedAt: new Date(data.auth_time * 1000),
    consumedAt: new Date(data.iat * 1000),
    expiresAt: new Date(data.exp * 1000),
  }
}

async function verifiedPayload(
  authorisation: string,
  jwks: URL | JSONWebKeySet,
  audience: string,
  at: Date | undefined,
): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(authorisation, keysOf(jwks), {
      algorithms: ['EdDSA'],
      typ: AUTHORISATION_TYPE,
      audience,
      requiredClaims: ['exp'],
      ...(at && { currentDate: at }),
    })
    return payload
  } catch (cause) {
    if (cause instanceof errors.JOSEError && !KEYS_UNAVAILABLE.includes(cause.code)) {
      throw new AuthorisationRefused('The authorisation is not valid', { cause })
    }
    throw cause
  }
}

function keysOf(jwks: URL | JSONWebKeySet): JWTVerifyGetKey {
  if (!(jwks instanceof URL)) return createLocalJWKSet(jwks)
  const known = remoteKeys.get(jwks.href)
  if (known) return known
  const keys = createRemoteJWKSet(jwks)
  remoteKeys.set(jwks.href, keys)
  return keys
}
