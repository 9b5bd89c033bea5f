import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import {
  AccessTokenRefused,
  type AccessTokens,
  type Caller,
  IssuerUnavailable,
} from '../../application/ports/access-tokens.ts'
import type { Clock } from '../../application/ports/clock.ts'
import { IDENTITY } from '../../domain/identity.ts'

export interface AccessTokenRules {
  readonly issuer: string
  readonly audience: string
}

/** Public-key signatures only: a symmetric algorithm would turn the published key into a forger's key. */
const ALGORITHMS = 'EdDSA Ed25519 ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ')
/** RFC 9068 §2.1, and what issuers that predate it write. Any other type is a token for something else. */
const TYPES = ['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']
const CLOCK_TOLERANCE_IN_SECONDS = 5
/** Nothing takes an access token back before it ends, so one that outlives a day is a mistake of its issuer. */
const MAX_REMAINING_LIFETIME_IN_SECONDS = 86_400

/**
 * Checks JWT access tokens against the keys of their issuer.
 *
 * A token is a service's if its `sub` is its own client, which is how RFC 9068 §2.2 marks a grant that no user took
 * part in. Any other token is a user's, whatever scopes it carries. The issuer must therefore let no user choose the
 * name of a client as `sub` (RFC 9068 §5), nor name a client after the audience, or its ID tokens would pass.
 *
 * Keycloak writes the id of a hidden user as `sub` of a service account, so each such client needs a mapper that sets
 * `sub` to the client's id. Its `preferred_username` of `service-account-<client>` proves nothing here: nothing in the
 * token tells it from a user who took that name.
 */
export class JoseAccessTokens implements AccessTokens {
  readonly #keys: JWTVerifyGetKey
  readonly #rules: AccessTokenRules
  readonly #clock: Clock

  constructor(keys: JWTVerifyGetKey, rules: AccessTokenRules, clock: Clock) {
    this.#keys = keys
    this.#rules = rules
    this.#clock = clock
  }

  async authenticate(token: string): Promise<Caller> {
    const now = this.#clock.now()
    const { payload, protectedHeader } = await this.#verify(token, now)
    const nowInSeconds = now.getTime() / 1000

    if (!TYPES.includes((protectedHeader.typ ?? 'JWT').toLowerCase())) throw new AccessTokenRefused('typ')
    if (payload.exp! > nowInSeconds + MAX_REMAINING_LIFETIME_IN_SECONDS) throw new AccessTokenRefused('exp')
    if (payload.iat !== undefined && payload.iat > nowInSeconds + CLOCK_TOLERANCE_IN_SECONDS) {
      throw new AccessTokenRefused('iat')
    }
    return callerOf(payload)
  }

  async #verify(token: string, currentDate: Date) {
    try {
      return await jwtVerify(token, this.#keys, {
        algorithms: ALGORITHMS,
        issuer: this.#rules.issuer,
        audience: this.#rules.audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_IN_SECONDS,
        currentDate,
      })
    } catch (error) {
      if (error instanceof IssuerUnavailable) throw error
      throw new AccessTokenRefused(error instanceof errors.JOSEError ? error.code : 'malformed')
    }
  }
}

function callerOf({ sub, client_id, azp, scope }: JWTPayload): Caller {
  if (!isIdentity(sub)) throw new AccessTokenRefused('sub')

  const client = client_id ?? azp
  if (client !== undefined && !isIdentity(client)) throw new AccessTokenRefused('client_id')
  if (client !== sub) return { kind: 'user', userId: sub }

  const scopes = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []
  return { kind: 'client', clientId: sub, scopes: new Set(scopes) }
}

/** jose asks for the claim, not for its type: a number, an object or an empty text would pass. */
function isIdentity(claim: unknown): claim is string {
  return typeof claim === 'string' && IDENTITY.test(claim)
}
