import type { CryptoKey, JWTHeaderParameters } from 'jose'
import type { Caller } from '../../application/ports/access-tokens.ts'

/** A token that passed every check, with everything that is needed to decide whether it still passes. */
export interface VerifiedToken {
  readonly caller: Caller
  readonly header: JWTHeaderParameters
  /** The key that verified its signature. */
  readonly key: CryptoKey
  readonly verifiedAt: Date
  readonly expiresAt: Date
}

/** About 20 MiB with tokens of one kilobyte. */
const CAPACITY = 10_000

/**
 * Remembers the tokens that were verified last. Only tokens with a valid signature get in, so strangers cannot fill it.
 * A token that drops out is simply verified again, so the oldest one may go.
 */
export class VerifiedTokens {
  readonly #capacity: number
  readonly #tokens = new Map<string, VerifiedToken>()

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** Ignores verifications in the future: after the clock was set back, a token may not be valid yet. */
  find(token: string, now: Date): VerifiedToken | undefined {
    const verified = this.#tokens.get(token)
    return verified && verified.verifiedAt <= now && now < verified.expiresAt ? verified : undefined
  }

  keep(token: string, verified: VerifiedToken): void {
    this.#tokens.delete(token)
    if (this.#tokens.size >= this.#capacity) {
      const [oldest] = this.#tokens.keys()
      if (oldest !== undefined) this.#tokens.delete(oldest)
    }
    this.#tokens.set(token, verified)
  }
}
