import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { z } from 'zod'

/** What an authorisation says: this subject approved this operation for this client. */
export interface Authorisation {
  readonly challengeId: string
  readonly subjectUserId: string
  readonly clientId: string
  readonly operation: { readonly type: string; readonly digest: string }
  /** How the subject proved to be there (RFC 8176). */
  readonly amr: readonly string[]
  readonly verifiedAt: Date
  readonly consumedAt: Date
  readonly expiresAt: Date
}

export interface AuthorisationExpectation {
  /** The service's keys, or where they are; fetched once, and again for a key that is not among them. */
  readonly jwks: URL | JSONWebKeySet
  /** The client that the approval was for, by its id. */
  readonly audience: string
  /** Of the operation that is about to be carried out. */
  readonly digest: string
  /** The instant to judge by; now if left out. */
  readonly at?: Date
}

/** It is not the service's statement, not about this operation, or past its time. */
export class AuthorisationRefused extends Error {
  override readonly name = 'AuthorisationRefused'
}

const AUTHORISATION_TYPE = 'countersign-authorisation+jwt'
/** Of jose, the errors that mean that the keys could not be had: nothing is known of the authorisation then. */
const KEYS_UNAVAILABLE = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

const Claims = z.object({
  jti: z.string(),
  sub: z.string(),
  // A list of audiences would make it the statement for somebody else as well.
  aud: z.string(),
  operation: z.object({ type: z.string(), digest: z.string() }),
  amr: z.array(z.string()),
  auth_time: z.int(),
  iat: z.int(),
  exp: z.int(),
})

const remoteKeys = new Map<string, JWTVerifyGetKey>()

/**
 * Checks an authorisation without asking the service, but for its keys.
 *
 * @throws {AuthorisationRefused} @throws what fetching the keys throws.
 */
export async function verifyAuthorisation(
  authorisation: string,
  { jwks, audience, digest, at }: AuthorisationExpectation,
): Promise<Authorisation> {
  const payload = await verifiedPayload(authorisation, jwks, audience, at)
  const { success, data } = Claims.safeParse(payload)
  if (!success) throw new AuthorisationRefused('The authorisation lacks a claim')
  if (data.operation.digest !== digest) {
    throw new AuthorisationRefused('The authorisation is about another operation')
  }
  return {
    challengeId: data.jti,
    subjectUserId: data.sub,
    clientId: data.aud,
    operation: data.operation,
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
