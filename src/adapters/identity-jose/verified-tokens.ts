import type { FlattenedJWSInput, JWTHeaderParameters, JWTVerifyGetKey } from 'jose'
import type { Caller } from '../../application/ports/access-tokens.ts'

/** A token that passed every check, and what has to hold still for it to pass them again. */
export interface VerifiedToken {
  readonly caller: Caller
  readonly header: JWTHeaderParameters
  readonly jws: FlattenedJWSInput
  /** The key that its signature was checked with. */
  readonly key: Awaited<ReturnType<JWTVerifyGetKey>>
  readonly verifiedAt: Date
  readonly expiresAt: Date
}

/** Some 20 MiB if every token is of a kilobyte. */
const CAPACITY = 10_000

/**
 * The tokens that were verified last. Only what a signature stands behind gets in, so strangers cannot fill it; and what
 * drops out is verified anew, so it need not be clever about what to keep.
 */
export class VerifiedTokens {
  readonly #capacity: number
  readonly #tokens = new Map<string, VerifiedToken>()

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** None before its verification: to a clock that was set back, a token may not be valid yet. */
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
