import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { claimOf } from './token-profiles.ts'

/** Only an ID token has the hash of what came with it (OpenID Connect Core §3.3.2.11, FAPI 1.0 part 2 §5.1). */
const HASHES = ['at_hash', 'c_hash', 's_hash']
/** Where issuers say in words what a token is for. RFC 9068 leaves that to the header. */
const PURPOSES = ['typ', 'token_use', 'token_type']
const ACCESS = ['bearer', 'dpop', 'access', 'accesstoken', 'at+jwt']
/** In lower case, without hyphens and underscores. */
const OTHER_PURPOSES = [
  ...['id', 'idtoken', 'serializedid', 'refresh', 'refreshtoken', 'offline', 'offlinetoken'],
  ...['logout', 'logouttoken', 'logout+jwt', 'initialaccesstoken', 'registrationaccesstoken'],
]
/** RFC 9068 §2.1. An issuer that says this in the header means an access token. */
const ACCESS_TOKEN = /^(?:application\/)?at\+jwt$/i

/**
 * Whether a signed token of the issuer is for something else than access: an ID token, a refresh token, a logout token or
 * another event. They may be signed with the same keys, and most of them name the user as `sub`.
 */
export function isOfAnotherPurpose(claims: JWTPayload, { typ }: JWTHeaderParameters): boolean {
  const has = (name: string) => claimOf(claims, name) !== undefined
  // Security events (RFC 8417 §2.2), such as a logout token (OpenID Connect Back-Channel Logout §2.4).
  if (has('events') || HASHES.some(has)) return true

  const purposes = PURPOSES.map((name) => inPlain(claimOf(claims, name)))
  if (purposes.some((purpose) => OTHER_PURPOSES.includes(purpose))) return true

  // The nonce of a login is for its ID token. Keycloak before release 24 repeats it in a token that says `Bearer`.
  const saysAccess = ACCESS_TOKEN.test(typ ?? '') || purposes.some((purpose) => ACCESS.includes(purpose))
  return has('nonce') && !saysAccess
}

function inPlain(claim: unknown): string {
  return typeof claim === 'string' ? claim.toLowerCase().replaceAll(/[-_]/g, '') : ''
}
