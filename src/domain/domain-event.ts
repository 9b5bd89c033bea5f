/** What happened, for the audit trail. Holds no code, seed, address or text of an operation. */
export type DomainEvent = ChallengeEvent | UserEvent

/**
 * What happened to a challenge.
 *
 * - `attempt`: how many times the mail had been claimed to be handed over, this time included. The first is 1.
 * - `attemptsRemaining`: wrong codes that the challenge still allows after this one.
 */
export type ChallengeEvent = {
  readonly challengeId: string
  readonly subjectUserId: string
  /** By the clock of the service; what the mail system reports, by the time in its report, but never later than that. */
  readonly at: Date
} & (
  | { readonly type: 'challenge-opened'; readonly clientId: string; readonly operationType: string }
  /** `number`: the place of the issuance among those of its challenge. The first is 1. */
  | { readonly type: 'otp-issued'; readonly issuanceId: string; readonly number: number }
  | { readonly type: 'otp-rejected'; readonly attemptsRemaining: number }
  | { readonly type: 'challenge-verified'; readonly issuanceId: string }
  | { readonly type: 'challenge-exhausted' }
  | { readonly type: 'challenge-consumed' }
  | { readonly type: 'consumption-refused'; readonly reason: ConsumptionRefusal }
  | { readonly type: 'challenge-cancelled'; readonly reason: CancellationReason }
  /** `until`: the first instant at which codes are accepted from the subject again. */
  | { readonly type: 'subject-locked'; readonly until: Date }
  | { readonly type: 'lock-notice-sent'; readonly noticeId: string; readonly attempt: number }
  | { readonly type: 'lock-notice-failed'; readonly noticeId: string; readonly reason: LockNoticeFailure }
  | { readonly type: 'otp-sent'; readonly issuanceId: string; readonly attempt: number }
  | { readonly type: 'otp-deferred'; readonly issuanceId: string; readonly attempt: number }
  | { readonly type: 'otp-failed'; readonly issuanceId: string; readonly reason: DeliveryFailure }
  | { readonly type: 'otp-delivered'; readonly issuanceId: string }
  | { readonly type: 'otp-bounced'; readonly issuanceId: string; readonly kind: BounceKind }
  | { readonly type: 'address-suppressed'; readonly issuanceId: string; readonly reason: SuppressionReason }
)

/** What happened to a user's entry in the directory, or to what is held against the user's address. */
type UserEvent = {
  readonly subjectUserId: string
  /** By the clock of the service, or when the mail system took an address into use again. */
  readonly at: Date
} & (
  | { readonly type: 'user-put'; readonly emailAddressChanged: boolean }
  | { readonly type: 'user-erased' }
  | { readonly type: 'suppression-lifted' }
)

/** Why a challenge was ended by somebody. */
export type CancellationReason =
  | 'email-address-changed'
  | 'user-erased'
  | 'by-client'
  | 'by-subject'
  | 'restored'

/** Why an attempt to consume was turned away without looking at the challenge any further. */
export type ConsumptionRefusal = 'digest-mismatch' | 'signature-mismatch'

/**
 * Why the mail of an issuance will never be sent: its code would not count any more (`superseded`,
 * `challenge-over`, `code-expired`), or the mail provider refuses it for good (`refused`).
 */
export type DeliveryFailure = 'superseded' | 'challenge-over' | 'code-expired' | 'refused'

/**
 * Why the mail about a lock will never be sent: the lock has ended meanwhile, the user was erased, or the mail
 * provider refuses it for good.
 */
export type LockNoticeFailure = 'lock-over' | 'user-erased' | 'refused'

/**
 * How a mail came back that had been handed over: not this time (`soft-bounce`), never to this address
 * (`hard-bounce`), or it did arrive and its reader called it spam (`complaint`).
 */
export type BounceKind = 'soft-bounce' | 'hard-bounce' | 'complaint'

/**
 * Why no mail goes to an address: what came back from it, its owner wants none (`unsubscribed`), or the mail system
 * does not send there and does not say why (`refused`).
 */
export type SuppressionReason = 'hard-bounce' | 'complaint' | 'unsubscribed' | 'refused'
