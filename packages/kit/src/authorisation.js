import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
/** It is not the service's statement, not about this operation, or past its time. */
export class AuthorisationRefused extends Error {
  name = 'AuthorisationRefused'
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
const remoteKeys = new Map()
/**
 * Checks an authorisation without asking the service, but for its keys.
 *
 * @throws {AuthorisationRefused} @throws what fetching the keys throws.
 */
export async function verifyAuthorisation(authorisation, { jwks, audience, digest, at }) {
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
async function verifiedPayload(authorisation, jwks, audience, at) {
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
function keysOf(jwks) {
  if (!(jwks instanceof URL)) return createLocalJWKSet(jwks)
  const known = remoteKeys.get(jwks.href)
  if (known) return known
  const keys = createRemoteJWKSet(jwks)
  remoteKeys.set(jwks.href, keys)
  return keys
}
