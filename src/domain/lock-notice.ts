import type { Challenge } from './challenge.ts'
import type { ChallengeEvent, LockNoticeFailure } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { retryAt } from './mail-retry.ts'

/**
 * A mail that warns a subject that wrong codes have locked them. A lock has at most one, stored with the decision that
 * locks. Later reports of the mail system about it are not kept.
 */
export type LockNotice = QueuedLockNotice | SentLockNotice | FailedLockNotice

interface WrittenLockNotice {
  readonly id: string
  /** The challenge whose wrong code caused the lock. */
  readonly challengeId: string
  readonly subjectUserId: string
  readonly recipient: EmailAddress
  readonly lockedAt: Date
  /** When the lock ends. After that there is nothing to warn about. */
  readonly lockedUntil: Date
  /** Deliveries that were started, including the current one. */
  readonly deliveryAttempts: number
}

export interface QueuedLockNotice extends WrittenLockNotice {
  readonly status: 'queued'
  readonly nextAttemptAt: Date
}

interface SentLockNotice extends WrittenLockNotice {
  readonly status: 'sent'
  readonly sentAt: Date
  /** The mail provider's id for the mail, if it gave one. */
  readonly messageId: string | undefined
}

export interface FailedLockNotice extends WrittenLockNotice {
  readonly status: 'failed'
  readonly failedAt: Date
  readonly reason: LockNoticeFailure
}

/** What a notice needs, in case the decision locks the subject. */
export interface LockNoticeDemand {
  readonly id: string
  /** The subject's address in the directory; undefined if it has no entry. */
  readonly address: EmailAddress | undefined
}

export const LockNotice = {
  /** The notice is due immediately. */
  queue(id: string, recipient: EmailAddress, challenge: Challenge, until: Date, now: Date): QueuedLockNotice {
    return {
      status: 'queued',
      id,
      challengeId: challenge.id,
      subjectUserId: challenge.subjectUserId,
      recipient,
      lockedAt: now,
      lockedUntil: until,
      deliveryAttempts: 0,
      nextAttemptAt: now,
    }
  },

  /** Whether the lock has ended, so that there is nothing left to warn about. */
  isOver({ lockedUntil }: LockNotice, now: Date): boolean {
    return now >= lockedUntil
  },

  /** The mail system accepted the mail. */
  markSent(
    queued: QueuedLockNotice,
    messageId: string | undefined,
    now: Date,
  ): [SentLockNotice, ChallengeEvent[]] {
    const { status: _, nextAttemptAt: __, ...written } = queued
    return [
      { ...written, status: 'sent', sentAt: now, messageId },
      [{ type: 'lock-notice-sent', ...about(queued, now), attempt: queued.deliveryAttempts }],
    ]
  },

  /**
   * The mail system did not accept the mail this time. It is retried as the mail of a code is, but never after the lock
   * ends. Records no event: a lock can last a day, and an outage of a mail system must not fill the audit trail.
   */
  defer(queued: QueuedLockNotice, now: Date): [QueuedLockNotice | FailedLockNotice, ChallengeEvent[]] {
    const nextAttemptAt = retryAt(queued.deliveryAttempts, now)
    if (LockNotice.isOver(queued, nextAttemptAt)) return LockNotice.fail(queued, 'lock-over', now)
    return [{ ...queued, nextAttemptAt }, []]
  },

  /** The mail will never be sent. */
  fail(
    queued: QueuedLockNotice,
    reason: LockNoticeFailure,
    now: Date,
    reply?: string,
  ): [FailedLockNotice, ChallengeEvent[]] {
    const { status: _, nextAttemptAt: __, ...written } = queued
    return [
      { ...written, status: 'failed', failedAt: now, reason },
      [{ type: 'lock-notice-failed', ...about(queued, now), reason, ...(reply !== undefined && { reply }) }],
    ]
  },
}

function about({ challengeId, subjectUserId, id: noticeId }: LockNotice, at: Date) {
  return { challengeId, subjectUserId, noticeId, at }
}
