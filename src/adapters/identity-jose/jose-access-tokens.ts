import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import {
  AccessTokenInsufficient,
  AccessTokenRefused,
  type AccessTokens,
  type Caller,
  IssuerUnavailable,
} from '../../application/ports/access-tokens.ts'
import type { Clock } from '../../application/ports/clock.ts'
import { IDENTITY } from '../../domain/identity.ts'
import type { CandidateKeys } from './issuer-keys.ts'
import { claimOf, scopesOf, type TokenProfile, tokenProfile, userScopesOf } from './token-profiles.ts'
import { isOfAnotherPurpose } from './token-purpose.ts'
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts'

export interface AccessTokenRules {
  readonly issuer: string
  readonly audience: string
  /** How far the clocks of issuer and service may differ. */
  readonly clockToleranceInSeconds?: number
  /** How the issuer writes its tokens. Default: as RFC 9068 says. */
  readonly profile?: TokenProfile
  /** What a token of a user needs besides. */
  readonly users?: UserTokenRules
}

/** What the operator demands of the tokens of users. A token of a service needs its own scopes instead. */
export interface UserTokenRules {
  readonly scope?: string | undefined
  /** The clients that may bring tokens of users: the bank's own apps, and no other of the issuer. */
  readonly clients?: readonly string[] | undefined
  /** How long ago a token may have been issued (`iat`). */
  readonly maxAgeInSeconds?: number | undefined
  /** How long ago the user may have logged in (`auth_time`). */
  readonly maxLoginAgeInSeconds?: number | undefined
}

/** Public-key signatures only: with a symmetric algorithm, anybody could sign with the published key. */
export const ALGORITHMS = 'EdDSA Ed25519 ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ')
/** RFC 9068 §2.1, and the types that older issuers write. A token of another type serves another purpose. */
const TYPES = ['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']
const CLOCK_TOLERANCE_IN_SECONDS = 10
/** Nobody can revoke an access token before it ends, so one that outlives a day is a mistake of its issuer. */
const MAX_REMAINING_LIFETIME_IN_SECONDS = 86_400

/**
 * Checks JWT access tokens against the keys of their issuer.
 *
 * A token belongs to a service if its profile proves it. Any other token belongs to a user, whatever its scopes. So the
 * issuer must not let a user choose what proves a service: in the default profile, the name of a client as `sub`
 * (RFC 9068 §5). In that profile it must not name a client like the audience either: an ID token of that client that has
 * neither a `nonce` nor a hash looks like an access token. `UserTokenRules` refuse it all the same.
 */
export class JoseAccessTokens implements AccessTokens {
  readonly #keys: CandidateKeys
  readonly #rules: AccessTokenRules
  readonly #profile: TokenProfile
  readonly #toleranceInSeconds: number
  readonly #clock: Clock
  readonly #verified = new VerifiedTokens()

  constructor(keys: CandidateKeys, rules: AccessTokenRules, clock: Clock) {
    this.#keys = keys
    this.#rules = rules
    this.#profile = rules.profile ?? tokenProfile()
    this.#toleranceInSeconds = rules.clockToleranceInSeconds ?? CLOCK_TOLERANCE_IN_SECONDS
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
  async #vouchesFor({ header, key }: VerifiedToken): Promise<boolean> {
    try {
      for await (const candidate of this.#keys(header)) if (candidate === key) return true
    } catch {
      // The check from the start finds the reason.
    }
    return false
  }

  async #verify(token: string, now: Date): Promise<VerifiedToken> {
    const { header, key, payload } = await this.#checkSignatureAndClaims(token, now)

    const nowInSeconds = now.getTime() / 1000
    const latest = nowInSeconds + this.#toleranceInSeconds
    if (!TYPES.includes((header.typ ?? 'JWT').toLowerCase())) throw new AccessTokenRefused('typ')
    if (payload.exp! > latest + MAX_REMAINING_LIFETIME_IN_SECONDS) throw new AccessTokenRefused('exp')
    if (payload.iat !== undefined && payload.iat > latest) throw new AccessTokenRefused('not-yet-valid')
    if (this.#profile.isFor && !this.#profile.isFor(payload, this.#rules.audience)) {
      throw new AccessTokenRefused('ERR_JWT_CLAIM_VALIDATION_FAILED')
    }
    if (isOfAnotherPurpose(payload, header)) {
      throw new AccessTokenRefused('no-access-token')
    }
    const caller = callerOf(payload, this.#profile, this.#rules.users)
    return {
      header,
      key,
      caller,
      verifiedAt: now,
      expiresAt: new Date(
        (caller.kind === 'user' ? this.#endOf(payload, nowInSeconds) : payload.exp!) * 1000,
      ),
    }
  }

  /**
   * When a token of a user has to be checked again, in seconds: at its end, or when it or its login is too old.
   *
   * @throws {AccessTokenRefused} if that time has come. A token that does not say how old it is counts as too old.
   */
  #endOf(claims: JWTPayload, now: number): number {
    const { maxAgeInSeconds, maxLoginAgeInSeconds } = this.#rules.users ?? {}
    const ends = [claims.exp!]
    for (const [name, missing, maxAge] of [
      ['iat', 'no-iat', maxAgeInSeconds],
      ['auth_time', 'no-auth_time', maxLoginAgeInSeconds],
    ] as const) {
      if (maxAge === undefined) continue
      const since = claimOf(claims, name)
      if (typeof since !== 'number') throw new AccessTokenRefused(missing)
      const end = since + maxAge + this.#toleranceInSeconds
      if (now >= end) throw new AccessTokenRefused('too-old')
      if (since > now + this.#toleranceInSeconds) throw new AccessTokenRefused('not-yet-valid')
      ends.push(end)
    }
    return Math.min(...ends)
  }

  async #checkSignatureAndClaims(token: string, currentDate: Date) {
    try {
      const header = headerOf(token)
      if (!ALGORITHMS.includes(header.alg)) throw new AccessTokenRefused('ERR_JOSE_ALG_NOT_ALLOWED')

      const mismatch = new errors.JWSSignatureVerificationFailed()
      for await (const key of this.#keys(header)) {
        const payload = await this.#claimsIf(key, token, currentDate)
        if (payload) return { header, key, payload }
      }
      throw mismatch
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /** The claims, unless another key has signed the token. */
  async #claimsIf(key: CryptoKey, token: string, currentDate: Date): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer: this.#rules.issuer,
        ...(!this.#profile.isFor && { audience: this.#rules.audience }),
        requiredClaims: ['exp', 'sub'],
        clockTolerance: this.#toleranceInSeconds,
        currentDate,
      })
      return payload
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed || !(error instanceof errors.JOSEError))
        return
      throw error
    }
  }
}

/** jose throws a `TypeError` for what is no token. */
function headerOf(token: string): JWTHeaderParameters {
  try {
    return decodeProtectedHeader(token) as JWTHeaderParameters
  } catch {
    throw new errors.JWSInvalid()
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof IssuerUnavailable || error instanceof AccessTokenRefused) return error
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
    return new AccessTokenRefused(error.reason === 'check_failed' ? 'not-yet-valid' : error.code)
  }
  return new AccessTokenRefused(error instanceof errors.JOSEError ? error.code : 'malformed')
}

function callerOf(claims: JWTPayload, profile: TokenProfile, users: UserTokenRules = {}): Caller {
  if (!isIdentity(claims.sub)) throw new AccessTokenRefused('sub')

  const claimed = profile.clientClaims.map((name) => claimOf(claims, name))
  const client = claimed.find((claim) => claim !== undefined)
  if (!profile.isAccessToken(claims, client)) throw new AccessTokenRefused('no-access-token')
  if (client !== undefined) {
    if (!isIdentity(client)) throw new AccessTokenRefused('client_id')
    if (profile.isService(claims, client)) {
      return { kind: 'client', clientId: client, scopes: scopesOf(claims, profile) }
    }
  }

  const userId = claimOf(claims, profile.userClaim)
  if (!isIdentity(userId)) throw new AccessTokenRefused(profile.userClaim)
  if (users.clients && (client === undefined || !users.clients.includes(client))) {
    throw new AccessTokenInsufficient('user-client')
  }
  if (users.scope !== undefined && !userScopesOf(claims, profile).has(users.scope)) {
    throw new AccessTokenInsufficient('user-scope')
  }
  return { kind: 'user', userId }
}

/** jose requires the claim but does not check its type: a number, an object or an empty text would pass. */
function isIdentity(claim: unknown): claim is string {
  return typeof claim === 'string' && IDENTITY.test(claim)
}
