/** The limits an operator sets, the same for every challenge. All counts are positive, all times whole seconds. */
export interface StepUpPolicy {
  /** Digits of a code: 6 to 8 (RFC 4226 §5.3). */
  readonly codeDigits: number
  /** How long a code counts from its issue. At most 600 (NIST SP 800-63B-4 §3.1.3.2: ten minutes). */
  readonly codeLifetimeInSeconds: number
  /** Wrong codes a challenge survives, over all its issuances, counting the one that ends it. */
  readonly maxAttempts: number
  /** Codes that may be sent for one challenge. */
  readonly maxIssuances: number
  /** The least time between the first two issuances of one challenge; each further one waits twice as long as the one before. */
  readonly resendCooldownInSeconds: number
  /** How long a challenge lives when its operation service names no time. */
  readonly challengeLifetimeInSeconds: number
  /** Wrong codes in a row, over all challenges of a subject, before the subject is locked (PSD2 RTS art. 4(3)(b)). */
  readonly subjectMaxFailures: number
  /** The first lock; each further one without a success in between is twice as long, up to a day. */
  readonly subjectLockInSeconds: number
  /** Codes that may be sent to one subject in any hour, over all challenges. */
  readonly subjectMaxIssuancesPerHour: number
}
