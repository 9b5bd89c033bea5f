/** What happened to a challenge, for the audit trail. Holds no code, seed, address or text of the operation. */
export type DomainEvent = {
  readonly challengeId: string
  readonly subjectUserId: string
  readonly at: Date
} & (
  | { readonly type: 'challenge-opened'; readonly clientId: string; readonly operationType: string }
  | { readonly type: 'otp-issued'; readonly issuanceId: string; readonly number: number }
  | { readonly type: 'otp-rejected'; readonly attemptsRemaining: number }
  | { readonly type: 'challenge-verified'; readonly issuanceId: string }
  | { readonly type: 'challenge-exhausted' }
  | { readonly type: 'challenge-cancelled'; readonly reason: CancellationReason }
  | { readonly type: 'subject-locked'; readonly until: Date }
  | { readonly type: 'otp-sent'; readonly issuanceId: string; readonly attempt: number }
  | { readonly type: 'otp-deferred'; readonly issuanceId: string; readonly attempt: number }
  | { readonly type: 'otp-failed'; readonly issuanceId: string; readonly reason: DeliveryFailure }
)

/** Why a challenge was ended by somebody. */
export type CancellationReason = 'email-address-changed'

/**
 * Why the mail of an issuance will never be sent: its code would not count any more (`superseded`,
 * `challenge-over`, `code-expired`), or the mail provider refuses it for good (`refused`).
 */
export type DeliveryFailure = 'superseded' | 'challenge-over' | 'code-expired' | 'refused'
