import type { Provenance } from '../../../application/ports/provenance.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../../domain/lock-notice.ts'
import { insertEvents } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { leased, leasedAt } from '../lease.ts'
import type { Claiming } from '../sharding/sharded-claims.ts'
import { USER_COLUMNS } from '../users/user-row.ts'
import { LOCK_NOTICE_COLUMNS } from './lock-notice-row.ts'

/* The statements behind every mail about a lock. Their text is constant, as in step-up-statements.ts. */

/** The service itself records the outcome of a notice. */
export const BY_SERVICE: Provenance = { actor: 'service' }

const CLAIMED = Prisma.raw([LOCK_NOTICE_COLUMNS, USER_COLUMNS, 'c.client_id AS c_client_id'].join(', '))

export function claimDueNotices(limit: number, now: Date, leaseEnd: Date): Prisma.Sql {
  return Prisma.sql`/* lock-notices.claim */
    WITH ${leased('lock_notices', 'n', limit, now, leaseEnd)}
    SELECT ${CLAIMED}
    FROM n
    LEFT JOIN challenges c ON c.id = n.challenge_id AND c.bucket = n.bucket
    LEFT JOIN users u ON u.user_id = n.subject_user_id AND u.bucket = n.bucket
    ORDER BY n.locked_at`
}

/** The same for one notice, where its row is. */
export function claimNotice({ place, now, leaseEnd }: Claiming): Prisma.Sql {
  return Prisma.sql`/* lock-notices.claim-one */
    WITH ${leasedAt('lock_notices', 'n', place, now, leaseEnd)}
    SELECT ${CLAIMED}
    FROM n
    LEFT JOIN challenges c ON c.bucket = ${place.bucket}::integer AND c.id = n.challenge_id
    LEFT JOIN users u ON u.bucket = ${place.bucket}::integer AND u.user_id = n.subject_user_id`
}

/** Returns one row. Returns none if a later claim counted another attempt, or if the notice is no longer queued. */
export function recordNotice(
  claimed: QueuedLockNotice,
  outcome: LockNotice,
  events: readonly ChallengeEvent[],
): Prisma.Sql {
  const { nextAttemptAt, sentAt, messageId, failedAt, failureReason } = columnsOfOutcome(outcome)
  return Prisma.sql`/* lock-notices.record */
    WITH notice AS (
      UPDATE lock_notices
      SET status = ${outcome.status},
          next_attempt_at = ${nextAttemptAt}::timestamptz,
          sent_at = ${sentAt}::timestamptz,
          message_id = ${messageId},
          failed_at = ${failedAt}::timestamptz,
          failure_reason = ${failureReason}
      WHERE id = ${claimed.id}::uuid
        AND bucket = ${bucketOf(claimed.subjectUserId)}::integer
        AND delivery_attempts = ${claimed.deliveryAttempts}::smallint
        AND status = 'queued'
      RETURNING id
    ), trail AS (${insertEvents('notice', events, BY_SERVICE)})
    SELECT id FROM notice`
}

/** The columns that depend on the status of a notice. */
function columnsOfOutcome(notice: LockNotice) {
  const none = { nextAttemptAt: null, sentAt: null, messageId: null, failedAt: null, failureReason: null }
  switch (notice.status) {
    case 'queued':
      return { ...none, nextAttemptAt: notice.nextAttemptAt }
    case 'sent':
      return { ...none, sentAt: notice.sentAt, messageId: notice.messageId ?? null }
    case 'failed':
      return { ...none, failedAt: notice.failedAt, failureReason: notice.reason }
  }
}
