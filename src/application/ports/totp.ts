import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'

/**
 * Derives the code of an issuance. It depends on a key that is not in the database and on everything the code
 * is bound to (issuance, challenge, subject, operation type, digest and summary, recipient, times): change
 * any of it and the code is another one (PSD2 RTS art. 5, dynamic linking).
 */
export abstract class Totp {
  /** The id of the key that new issuances are derived from. */
  abstract activeKeyId(): string

  /**
   * The digits to send, zero-padded.
   *
   * @throws {UnknownOtpKey} if the key of the issuance is not configured (any more).
   */
  abstract code(issuance: OtpIssuance, challenge: Challenge): string

  /**
   * Whether `candidate` is the code of `issuance`, compared in constant time. Anything that is not that many
   * digits is not. Does not look at the clock: whether the code still counts is the domain's question.
   *
   * @throws {UnknownOtpKey}
   */
  abstract matches(candidate: string, issuance: OtpIssuance, challenge: Challenge): boolean
}

export class UnknownOtpKey extends Error {
  constructor(keyId: string) {
    super(
      `There is no OTP key ${keyId}; a key must stay configured as long as codes derived from it may arrive`,
    )
  }
}
