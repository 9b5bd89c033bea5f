/** Something that happened, for the audit trail. Contains no code, seed, address or text of an operation. */
export type DomainEvent = ChallengeEvent | UserEvent

/**
 * Something that happened to a challenge, its codes, its mails or its subject.
 *
 * - `attempt`: how many times the mail was claimed to be sent, this time included. The first is 1.
 * - `reply`: what the mail system replied, in codes only. Missing without a reply, and before the service kept it.
 * - `attemptsRemaining`: wrong codes that the challenge still allows after this one.
 */
export type ChallengeEvent = {
  readonly challengeId: string
  readonly subjectUserId: string
  /** By the clock of the service. For a report of the mail system: the time in the report, but never later than that. */
  readonly at: Date
} & (
  | { readonly type: 'challenge-opened'; readonly clientId: string; readonly operationType: string }
  /** `number`: the place of the issuance among those of its challenge. The first is 1. */
  | { readonly type: 'otp-issued'; readonly issuanceId: string; readonly number: number }
  | { readonly type: 'otp-rejected'; readonly attemptsRemaining: number }
  | { readonly type: 'challenge-verified'; readonly issuanceId: string }
  | { readonly type: 'challenge-exhausted' }
  /** It was still pending or verified at its deadline. Recorded only if its service gets to know of it. */
  | { readonly type: 'challenge-expired' }
  | { readonly type: 'challenge-consumed' }
  | { readonly type: 'consumption-refused'; readonly reason: ConsumptionRefusal }
  /** A user tried a challenge of somebody else. `subjectUserId` is that user, not the subject of the challenge. */
  | { readonly type: 'stranger-refused' }
  | { readonly type: 'challenge-cancelled'; readonly reason: CancellationReason }
  /** `until`: the first instant at which codes are accepted from the subject again. */
  | { readonly type: 'subject-locked'; readonly until: Date }
  | { readonly type: 'lock-notice-sent'; readonly noticeId: string; readonly attempt: number }
  | {
      readonly type: 'lock-notice-failed'
      readonly noticeId: string
      readonly reason: LockNoticeFailure
      readonly reply?: string
    }
  | { readonly type: 'otp-sent'; readonly issuanceId: string; readonly attempt: number }
  | {
      readonly type: 'otp-deferred'
      readonly issuanceId: string
      readonly attempt: number
      readonly reply?: string
    }
  | {
      readonly type: 'otp-failed'
      readonly issuanceId: string
      readonly reason: DeliveryFailure
      readonly reply?: string
    }
  | { readonly type: 'otp-delayed'; readonly issuanceId: string }
  | { readonly type: 'otp-delivered'; readonly issuanceId: string }
  | { readonly type: 'otp-bounced'; readonly issuanceId: string; readonly kind: BounceKind }
  | { readonly type: 'address-suppressed'; readonly issuanceId: string; readonly reason: SuppressionReason }
)

/**
 * Something that happened to a user's directory entry, to the suppression of the user's address, or to a lock, and to no challenge.
 *
 * - `emailAddressChanged`: whether the entry existed with another address. False for a new entry.
 */
type UserEvent = {
  readonly subjectUserId: string
  /** By the clock of the service, or when the mail system took an address into use again. */
  readonly at: Date
} & (
  | { readonly type: 'user-put'; readonly emailAddressChanged: boolean }
  | { readonly type: 'user-erased' }
  | { readonly type: 'suppression-lifted' }
  /** `until`: when the lock would have ended by itself. */
  | { readonly type: 'subject-unlocked'; readonly until: Date }
  | {
      readonly type: 'security-notice-sent'
      readonly noticeId: string
      readonly about: SecurityNoticeKind
      readonly attempt: number
    }
  | {
      readonly type: 'security-notice-failed'
      readonly noticeId: string
      readonly about: SecurityNoticeKind
      readonly reason: SecurityNoticeFailure
      readonly reply?: string
    }
)

/**
/**
 * What a security notice tells: the user has another address (`address-changed`, to the one before) or none (`address-removed`, to the
 * one that was erased), a challenge ended because calls tried to consume it for another operation, or the support ended a lock.
 */
export type SecurityNoticeKind =
  | 'address-changed'
  | 'address-removed'
  | 'operation-mismatch'
  | 'subject-unlocked'

/**
 * Why a security notice will never be sent: a day has passed, the mailbox had enough notices about this user (`too-many`), or the mail
 * provider refuses it permanently.
 */
export type SecurityNoticeFailure = 'too-late' | 'too-many' | 'refused'

/**
 * Why a challenge was cancelled. `user-gone`: the directory no longer has its subject, has disabled them, or has no usable address
 * of theirs any more. `operation-mismatch`: three calls tried to consume it for another operation.
 */
export type CancellationReason =
  | Forgery
  | 'email-address-changed'
  | 'user-gone'
  | 'operation-mismatch'
  | 'user-erased'
  | 'by-client'
  | 'by-subject'
  | 'restored'

/** Why an attempt to consume was refused, other than by the state of the challenge. */
export type ConsumptionRefusal = Forgery | 'digest-mismatch' | 'signature-mismatch'

/**
 * How rows show that somebody other than the service wrote them: they have no seal, a seal of something else, or a status that
 * the audit trail says has ended (`set-back`).
 */
export const FORGERIES = ['unsealed', 'broken-seal', 'set-back'] as const
export type Forgery = (typeof FORGERIES)[number]

/** Whether the event records that the service found a forgery. */
export function isForgery(event: DomainEvent): event is ChallengeEvent & { readonly reason: Forgery } {
  return 'reason' in event && FORGERIES.some((forgery) => forgery === event.reason)
}

/**
 * Why the mail of an issuance will never be sent: its code no longer counts (`superseded`, `challenge-over`,
 * `code-expired`), the mail provider refuses it permanently (`refused`), or somebody else wrote the rows ({@link Forgery}).
 */
export type DeliveryFailure = Forgery | 'superseded' | 'challenge-over' | 'code-expired' | 'refused'

/**
 * Why the mail about a lock will never be sent: the lock has ended, the user was erased, or the mail provider refuses it
 * permanently.
 */
export type LockNoticeFailure = 'lock-over' | 'user-erased' | 'refused'

/**
 * How a sent mail failed: the mailbox did not accept it this time (`soft-bounce`), the address never will (`hard-bounce`),
 * or it arrived and its reader reported it as spam (`complaint`).
 */
export type BounceKind = 'soft-bounce' | 'hard-bounce' | 'complaint'

/**
 * Why no mail is sent to an address: a mail to it bounced, its owner complained or unsubscribed, or the mail system
 * refuses to send there and gives no reason (`refused`).
 */
export type SuppressionReason = 'hard-bounce' | 'complaint' | 'unsubscribed' | 'refused'
