import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { IssuerUnavailable } from '../../application/ports/access-tokens.ts'

/** The keys that an identity provider publishes, fetched when needed and kept for ten minutes. */
export function issuerKeys(jwksUrl: URL): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(jwksUrl)

  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      throw new IssuerUnavailable(error)
    }
  }
}

/** The issuer answered, and has no key for what the token claims of itself. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}
