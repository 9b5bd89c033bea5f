import type { Challenge } from './challenge.ts'
import type { ChallengeEvent, LockNoticeFailure } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { retryAt } from './mail-retry.ts'

/**
 * The warning to a subject that wrong codes have locked them, on its way to one mailbox. A lock has one at most, which is
 * stored with the decision that locks. What the mail system reports of it later is not kept.
 */
export type LockNotice = QueuedLockNotice | SentLockNotice | FailedLockNotice

interface WrittenLockNotice {
  readonly id: string
  /** The one whose wrong code was the last that the subject had. */
  readonly challengeId: string
  readonly subjectUserId: string
  readonly recipient: EmailAddress
  readonly lockedAt: Date
  /** The end of the lock, and of what there is to warn of. */
  readonly lockedUntil: Date
  /** Deliveries begun, the running one included. */
  readonly deliveryAttempts: number
}

export interface QueuedLockNotice extends WrittenLockNotice {
  readonly status: 'queued'
  readonly nextAttemptAt: Date
}

interface SentLockNotice extends WrittenLockNotice {
  readonly status: 'sent'
  readonly sentAt: Date
  /** The mail provider's id of the mail, where it gave one. */
  readonly messageId: string | undefined
}

export interface FailedLockNotice extends WrittenLockNotice {
  readonly status: 'failed'
  readonly failedAt: Date
  readonly reason: LockNoticeFailure
}

/** What the notice is made of, should there have to be one. */
export interface LockNoticeDemand {
  readonly id: string
  /** The subject's in the directory; undefined if it knows none. */
  readonly address: EmailAddress | undefined
}

export const LockNotice = {
  /** Due at once. */
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

  /** Whether there is nothing left to warn of: the subject may ask for codes again. */
  isOver({ lockedUntil }: LockNotice, now: Date): boolean {
    return now >= lockedUntil
  },

  /** The mail system took the mail. */
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
   * The mail system did not take the mail this time: again like that of a code, never past the end of the lock. Leaves no
   * event, since a lock may last a day, and the trail is not the place for the troubles of a mail system.
   */
  defer(queued: QueuedLockNotice, now: Date): [QueuedLockNotice | FailedLockNotice, ChallengeEvent[]] {
    const nextAttemptAt = retryAt(queued.deliveryAttempts, now)
    if (LockNotice.isOver(queued, nextAttemptAt)) return LockNotice.fail(queued, 'lock-over', now)
    return [{ ...queued, nextAttemptAt }, []]
  },

  /** The mail will never be sent. */
  fail(queued: QueuedLockNotice, reason: LockNoticeFailure, now: Date): [FailedLockNotice, ChallengeEvent[]] {
    const { status: _, nextAttemptAt: __, ...written } = queued
    return [
      { ...written, status: 'failed', failedAt: now, reason },
      [{ type: 'lock-notice-failed', ...about(queued, now), reason }],
    ]
  },
}

function about({ challengeId, subjectUserId, id: noticeId }: LockNotice, at: Date) {
  return { challengeId, subjectUserId, noticeId, at }
}
