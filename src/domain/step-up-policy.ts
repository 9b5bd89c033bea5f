/** The limits an operator sets, the same for every challenge. All counts are positive, all times whole seconds. */
export interface StepUpPolicy {
  /** Digits of a code: 6 to 8 (RFC 4226 §5.3). */
  readonly codeDigits: number
  /** How long a code counts from its issue. At most 600 (NIST SP 800-63B-4 §3.1.3.2: ten minutes). */
  readonly codeLifetimeInSeconds: number
  /** Wrong codes allowed per challenge, over all its issuances. The last one exhausts it. */
  readonly maxAttempts: number
  /** Codes that may be sent for one challenge. */
  readonly maxIssuances: number
  /** The minimum time between the first two issuances of a challenge. Each further wait is twice as long as the one before. */
  readonly resendCooldownInSeconds: number
  /** The lifetime of a challenge whose operation service does not name one. */
  readonly challengeLifetimeInSeconds: number
  /** Wrong codes in a row, over all challenges of a subject, before the subject is locked (PSD2 RTS art. 4(3)(b)). */
  readonly subjectMaxFailures: number
  /** The length of the first lock. Each further lock without a success in between is twice as long, up to a day. */
  readonly subjectLockInSeconds: number
  /** Codes that may be sent to one subject in any hour, over all challenges. */
  readonly subjectMaxIssuancesPerHour: number
  /** Codes that may be sent to one mailbox in any hour, over all subjects. The first codes of subjects have half as many places more. */
  readonly mailboxMaxIssuancesPerHour: number
  /** How long an address gets no codes after it replaced another one. 0: no time at all. */
  readonly addressHoldInSeconds: number
  /** Live challenges that one subject may have at one client. */
  readonly subjectMaxLiveChallenges: number
}
