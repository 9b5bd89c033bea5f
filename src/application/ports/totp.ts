import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'

/**
 * Derives the code of an issuance. The code depends on a key that is not in the database, and on everything that it is bound
 * to: issuance, challenge, subject, operation type, digest and summary, recipient and times. If any of them changes, the code
 * changes (PSD2 RTS art. 5, dynamic linking).
 */
export abstract class Totp {
  /** The id of the key that new issuances are derived from. */
  abstract activeKeyId(): string

  /**
   * The digits to send, zero-padded.
   *
   * @throws {UnknownOtpKey} if the key of the issuance is not configured.
   */
  abstract code(issuance: OtpIssuance, challenge: Challenge): string

  /**
   * Whether `candidate` is the code of `issuance`, compared in constant time. False for any text with another number of
   * digits. Does not look at the clock: the domain decides whether the code still counts.
   *
   * @throws {UnknownOtpKey}
   */
  abstract matches(candidate: string, issuance: OtpIssuance, challenge: Challenge): boolean
}

export class UnknownOtpKey extends Error {
  constructor(keyId: string) {
    super(
      `There is no OTP key ${keyId}; keep a key configured as long as users may enter codes derived from it`,
    )
  }
}
