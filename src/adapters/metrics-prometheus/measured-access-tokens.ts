import { AccessTokenRefused, type AccessTokens, type Caller } from '../../application/ports/access-tokens.ts'
import type { Metrics, TokenRefusal } from './metrics.ts'

/** By the codes of jose; what is not among them, of jose or of our own, needs no name of its own. */
const REFUSALS: ReadonlyMap<string, TokenRefusal> = new Map([
  ['ERR_JWT_EXPIRED', 'expired'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'unknown-key'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'bad-signature'],
  ['ERR_JWT_CLAIM_VALIDATION_FAILED', 'claims'],
])

/** Counts tokens that were refused. That one was missing, or its issuer away, is in the answers to requests. */
export class MeasuredAccessTokens implements AccessTokens {
  readonly #tokens: AccessTokens
  readonly #metrics: Metrics

  constructor(tokens: AccessTokens, metrics: Metrics) {
    this.#tokens = tokens
    this.#metrics = metrics
  }

  async authenticate(token: string): Promise<Caller> {
    try {
      return await this.#tokens.authenticate(token)
    } catch (error) {
      if (error instanceof AccessTokenRefused) {
        this.#metrics.tokenRefusals.inc({ reason: REFUSALS.get(error.reason) ?? 'other' })
      }
      throw error
    }
  }
}
