import { importJWK, type JWK, SignJWT } from 'jose'
import { type CandidateKeys, keysOf } from '../adapters/identity-jose/issuer-keys.ts'
import type { AccessTokenRules } from '../adapters/identity-jose/jose-access-tokens.ts'
import type { Caller } from '../application/ports/access-tokens.ts'
import type { Clock } from '../application/ports/clock.ts'
import { secondsAfter } from '../domain/instant.ts'
import type { IssuedToken, TokenIssuer } from './token-issuer.ts'

const LIFETIME_IN_SECONDS = 3600
const KEY_ID = 'development'

/** The identity provider of development. Its tokens pass the same checks as those of a real provider. */
export class DevelopmentIssuer implements TokenIssuer {
  readonly #key: JWK
  readonly #rules: AccessTokenRules
  readonly #clock: Clock

  /** @param key an Ed25519 private key */
  constructor(key: JWK, rules: AccessTokenRules, clock: Clock) {
    this.#key = key
    this.#rules = rules
    this.#clock = clock
  }

  async issue(caller: Caller): Promise<IssuedToken> {
    const issuedAt = this.#clock.now()
    const accessToken = await new SignJWT(claimsOf(caller))
      .setProtectedHeader({ alg: 'EdDSA', kid: KEY_ID, typ: 'at+jwt' })
      .setIssuer(this.#rules.issuer)
      .setAudience(this.#rules.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(secondsAfter(issuedAt, LIFETIME_IN_SECONDS))
      .sign(await importJWK(this.#key, 'EdDSA'))
    return { accessToken, expiresInSeconds: LIFETIME_IN_SECONDS }
  }

  /** The public keys, which a real issuer would publish. */
  keys(): CandidateKeys {
    const { d: _, ...publicKey } = this.#key
    return keysOf({ keys: [{ ...publicKey, kid: KEY_ID, use: 'sig' }] })
  }
}

function claimsOf(caller: Caller) {
  if (caller.kind === 'user') return { sub: caller.userId }
  return { sub: caller.clientId, client_id: caller.clientId, scope: [...caller.scopes].join(' ') }
}
