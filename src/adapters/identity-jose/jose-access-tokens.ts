import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import {
  AccessTokenRefused,
  type AccessTokens,
  type Caller,
  IssuerUnavailable,
} from '../../application/ports/access-tokens.ts'
import type { Clock } from '../../application/ports/clock.ts'
import { IDENTITY } from '../../domain/identity.ts'
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts'

export interface AccessTokenRules {
  readonly issuer: string
  readonly audience: string
}

/** Public-key signatures only: with a symmetric algorithm, anybody could sign with the published key. */
export const ALGORITHMS = 'EdDSA Ed25519 ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ')
/** RFC 9068 §2.1, and the types that older issuers write. A token of another type serves another purpose. */
const TYPES = ['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']
const CLOCK_TOLERANCE_IN_SECONDS = 5
/** Nobody can revoke an access token before it ends, so one that outlives a day is a mistake of its issuer. */
const MAX_REMAINING_LIFETIME_IN_SECONDS = 86_400

/**
 * Checks JWT access tokens against the keys of their issuer.
 *
 * A token belongs to a service if its `sub` is its own client: RFC 9068 §2.2 marks a grant without a user so. Any other
 * token belongs to a user, whatever its scopes. So the issuer must not let a user choose the name of a client as `sub`
 * (RFC 9068 §5). It must not name a client like the audience either, or that client's ID tokens would pass.
 *
 * Keycloak writes the id of a hidden user as `sub` of a service account, so each such client needs a mapper that sets
 * `sub` to the client's id. Its `preferred_username` of `service-account-<client>` proves nothing: a user may have taken
 * that name.
 */
export class JoseAccessTokens implements AccessTokens {
  readonly #keys: JWTVerifyGetKey
  readonly #rules: AccessTokenRules
  readonly #clock: Clock
  readonly #verified = new VerifiedTokens()

  constructor(keys: JWTVerifyGetKey, rules: AccessTokenRules, clock: Clock) {
    this.#keys = keys
    this.#rules = rules
    this.#clock = clock
  }

  async authenticate(token: string): Promise<Caller> {
    const now = this.#clock.now()
    const known = this.#verified.find(token, now)
    if (known && (await this.#vouchesFor(known))) return known.caller

    const verified = await this.#verify(token, now)
    this.#verified.keep(token, verified)
    return verified.caller
  }

  /**
   * The signature check is the most expensive part of a request, and callers send the same token several times. So a
   * signature is checked once, as long as the issuer publishes that very key. If the issuer has revoked or replaced the
   * key, the token is checked again.
   */
  async #vouchesFor({ header, jws, key }: VerifiedToken): Promise<boolean> {
    try {
      return (await this.#keys(header, jws)) === key
    } catch {
      return false
    }
  }

  async #verify(token: string, now: Date): Promise<VerifiedToken> {
    let found: Pick<VerifiedToken, 'header' | 'jws' | 'key'> | undefined
    const { payload } = await this.#checkSignatureAndClaims(token, now, async (header, jws) => {
      const key = await this.#keys(header, jws)
      found = { header, jws, key }
      return key
    })
    const nowInSeconds = now.getTime() / 1000

    if (!TYPES.includes((found!.header.typ ?? 'JWT').toLowerCase())) throw new AccessTokenRefused('typ')
    if (payload.exp! > nowInSeconds + MAX_REMAINING_LIFETIME_IN_SECONDS) throw new AccessTokenRefused('exp')
    if (payload.iat !== undefined && payload.iat > nowInSeconds + CLOCK_TOLERANCE_IN_SECONDS) {
      throw new AccessTokenRefused('iat')
    }
    return {
      ...found!,
      caller: callerOf(payload),
      verifiedAt: now,
      expiresAt: new Date(payload.exp! * 1000),
    }
  }

  async #checkSignatureAndClaims(token: string, currentDate: Date, keys: JWTVerifyGetKey) {
    try {
      return await jwtVerify(token, keys, {
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

/** jose requires the claim but does not check its type: a number, an object or an empty text would pass. */
function isIdentity(claim: unknown): claim is string {
  return typeof claim === 'string' && IDENTITY.test(claim)
}
