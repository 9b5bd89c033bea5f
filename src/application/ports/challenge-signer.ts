import type { Challenge, ConsumedChallenge } from '../../domain/challenge.ts'

/** Signs for the outside what Countersign states about a challenge. */
export abstract class ChallengeSigner {
  /**
   * A compact JWS over challenge id, subject, client, operation type and digest, and expiry. It lets an
   * operation service see that a challenge id it is handed is one it asked for, about this very operation.
   */
  abstract sign(challenge: Challenge): Promise<string>

  /** Whether `signature` is what {@link sign} gives for this challenge, under any key that is not removed yet. */
  abstract verifies(challenge: Challenge, signature: string): Promise<boolean>

  /**
   * A compact JWS that says: this subject approved this operation for this client, by a one-time code to their mailbox
   * (`amr`, RFC 8176 §2), at `auth_time`. Anybody with the public keys can check it, for five minutes.
   */
  abstract authorise(challenge: ConsumedChallenge): Promise<string>

  /** The public keys that signatures verify with, as a JWK Set (RFC 7517): the active one and those rotated out. */
  abstract publicKeys(): { readonly keys: readonly object[] }
}
