import type { DomainEvent, SecurityNoticeFailure, SecurityNoticeKind } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { secondsAfter } from './instant.ts'
import { retryAt } from './mail-retry.ts'

/** Something that a user must hear of, and the address that hears it. The store gives it an id. */
export interface SecurityNoticeDraft {
  readonly kind: SecurityNoticeKind
  readonly subjectUserId: string
  readonly recipient: EmailAddress
  /** The client that did it, or whose operation it was. Undefined: no client. */
  readonly clientId?: string | undefined
  readonly happenedAt: Date
  /** BCP 47 language tag of an entry that is gone or elsewhere; undefined if the entry that there is says it. */
  readonly locale?: string | undefined
}

/**
 * A mail about something that was done in the name of a user. It is stored with the decision that did it. Later reports of the mail
 * system about it are not kept.
 */
export type SecurityNotice = QueuedSecurityNotice | FinishedSecurityNotice

export interface QueuedSecurityNotice extends SecurityNoticeDraft {
  readonly id: string
  readonly status: 'queued'
  /** Deliveries that were started, including the current one. */
  readonly deliveryAttempts: number
  readonly nextAttemptAt: Date
}

interface FinishedSecurityNotice extends SecurityNoticeDraft {
  readonly id: string
  readonly status: 'sent' | 'failed'
  readonly deliveryAttempts: number
  readonly finishedAt: Date
}

/** After that the news is old, and the mail system has been away for a day. */
const LIFETIME_IN_SECONDS = 86_400

export const SecurityNotice = {
  /**
   * Notices about one user that a mailbox may get in an hour. A user who changes an address again and again knows of it. Those about
   * other users do not count: somebody could use them up to hide one.
   */
  mostPerUserAndHour: 10,

  /** The first instant at which the mail is not sent any more. */
  endOf({ happenedAt }: SecurityNoticeDraft): Date {
    return secondsAfter(happenedAt, LIFETIME_IN_SECONDS)
  },

  /** The mail system accepted the mail. */
  markSent(queued: QueuedSecurityNotice, now: Date): [FinishedSecurityNotice, DomainEvent[]] {
    const event = {
      type: 'security-notice-sent',
      ...about(queued, now),
      attempt: queued.deliveryAttempts,
    } as const
    return [finished(queued, 'sent', now), [event]]
  },

  /** The mail system did not accept the mail this time. It is retried for a day. Records no event, as for a lock notice. */
  defer(queued: QueuedSecurityNotice, now: Date): [SecurityNotice, DomainEvent[]] {
    const nextAttemptAt = retryAt(queued.deliveryAttempts, now)
    if (nextAttemptAt >= SecurityNotice.endOf(queued)) return SecurityNotice.fail(queued, 'too-late', now)
    return [{ ...queued, nextAttemptAt }, []]
  },

  /** The mail will never be sent. */
  fail(
    queued: QueuedSecurityNotice,
    reason: SecurityNoticeFailure,
    now: Date,
    reply?: string,
  ): [FinishedSecurityNotice, DomainEvent[]] {
    const event = {
      type: 'security-notice-failed',
      ...about(queued, now),
      reason,
      ...(reply !== undefined && { reply }),
    } as const
    return [finished(queued, 'failed', now), [event]]
  },
}

function finished(
  { nextAttemptAt: _, ...queued }: QueuedSecurityNotice,
  status: 'sent' | 'failed',
  finishedAt: Date,
): FinishedSecurityNotice {
  return { ...queued, status, finishedAt }
}

function about({ subjectUserId, id: noticeId, kind: about }: QueuedSecurityNotice, at: Date) {
  return { subjectUserId, noticeId, about, at }
}
