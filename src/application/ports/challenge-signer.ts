import type { Challenge } from '../../domain/challenge.ts'

/** Signs for the outside what Countersign states about a challenge. */
export abstract class ChallengeSigner {
  /**
   * A compact JWS over challenge id, subject, client, operation type and digest, and expiry. It lets an
   * operation service see that a challenge id it is handed is one it asked for, about this very operation.
   */
  abstract sign(challenge: Challenge): Promise<string>

  /** The public keys that signatures verify with, as a JWK Set (RFC 7517): the active one and those rotated out. */
  abstract publicKeys(): { readonly keys: readonly object[] }
}
