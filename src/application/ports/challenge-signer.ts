import type { Challenge, ConsumedChallenge } from '../../domain/challenge.ts'

/** Signs what Countersign states about a challenge, so that others can check it. */
export abstract class ChallengeSigner {
  /**
   * A compact JWS over challenge id, subject, client, the type and both digests of the operation (its own and that of its
   * summary), and expiry. With it an operation service can
   * check that a challenge id belongs to a challenge that it opened for this very operation.
   */
  abstract sign(challenge: Challenge): Promise<string>

  /** Whether `signature` is one that {@link sign} made for this challenge, under any key that is still configured. */
  abstract verifies(challenge: Challenge, signature: string): Promise<boolean>

  /**
   * A compact JWS that says: this subject read this summary and approved this operation for this client, by a one-time code to their mailbox
   * (`amr`, RFC 8176 §2), at `auth_time`. Anyone with the public keys can check it for five minutes.
   */
  abstract authorise(challenge: ConsumedChallenge): Promise<string>

  /** The public keys that signatures verify with, as a JWK Set (RFC 7517): the active one and the earlier ones. */
  abstract publicKeys(): { readonly keys: readonly object[] }
}
