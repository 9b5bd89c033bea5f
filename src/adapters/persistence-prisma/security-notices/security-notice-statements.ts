import { v7 } from 'uuid'
import { bucketOf, idInBucketOf } from '../../../domain/bucket.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import { ERASED_ADDRESS } from '../../../domain/email-address.ts'
import {
  type QueuedSecurityNotice,
  SecurityNotice,
  type SecurityNoticeDraft,
} from '../../../domain/security-notice.ts'
import { insertEvents } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { leased, leasedAt } from '../lease.ts'
import { BY_SERVICE } from '../lock-notices/lock-notice-statements.ts'
import { columns } from '../row-mapping.ts'
import type { Claiming } from '../sharding/sharded-claims.ts'
import { USER_COLUMNS } from '../users/user-row.ts'

/* The statements behind every security notice. Their text is constant, as in step-up-statements.ts. */

const CLAIMED = Prisma.raw(
  [
    columns(
      'n',
      'id kind client_id subject_user_id recipient happened_at locale delivery_attempts next_attempt_at',
    ),
    USER_COLUMNS,
  ].join(', '),
)

/** The part of a statement that queues a notice for each row of `guard`. */
export function insertSecurityNotice(
  guard: 'challenge' | 'standing',
  notice: SecurityNoticeDraft,
): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO security_notices (
      bucket, id, kind, client_id, subject_user_id, recipient, happened_at, locale, status, delivery_attempts,
      next_attempt_at
    )
    SELECT ${bucketOf(notice.subjectUserId)}::integer, ${idInBucketOf(notice.subjectUserId, v7())}::uuid, ${notice.kind}, ${notice.clientId ?? null}, ${notice.subjectUserId},
      ${notice.recipient}, ${notice.happenedAt}::timestamptz, ${notice.locale ?? null}, 'queued', 0, ${notice.happenedAt}::timestamptz
    FROM ${Prisma.raw(guard)}`
}

/**
 * A notice is surplus if its mailbox has the most of them about its user already: those that were sent within an hour of it, and those
 * that wait and happened before it. The order decides, so that of parallel claims each counts the same. Nobody knows the mailbox of an
 * address that was erased: it counts for each.
 */
export function claimDueSecurityNotices(limit: number, now: Date, leaseEnd: Date): Prisma.Sql {
  return Prisma.sql`/* security-notices.claim */
    WITH ${leased('security_notices', 'n', limit, now, leaseEnd)}
    SELECT ${CLAIMED}, ${isSurplus(Prisma.sql`n.bucket`)}
    FROM n
    LEFT JOIN users u ON u.user_id = n.subject_user_id AND u.bucket = n.bucket
    ORDER BY n.happened_at`
}

/** The same for one notice, where its row is. */
export function claimSecurityNotice({ place, now, leaseEnd }: Claiming): Prisma.Sql {
  const bucket = Prisma.sql`${place.bucket}::integer`
  return Prisma.sql`/* security-notices.claim-one */
    WITH ${leasedAt('security_notices', 'n', place, now, leaseEnd)}
    SELECT ${CLAIMED}, ${isSurplus(bucket)}
    FROM n
    LEFT JOIN users u ON u.bucket = ${bucket} AND u.user_id = n.subject_user_id`
}

function isSurplus(bucket: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(
      SELECT count(*)
      FROM security_notices e
      WHERE e.subject_user_id = n.subject_user_id
        AND e.bucket = ${bucket}
        AND e.happened_at > n.happened_at - interval '1 hour'
        AND e.happened_at < n.happened_at + interval '1 hour'
        AND e.id <> n.id
        AND (lower(e.recipient COLLATE "C") = lower(n.recipient COLLATE "C") OR e.recipient = ${ERASED_ADDRESS})
        AND (e.status = 'sent' OR e.status = 'queued' AND (e.happened_at, e.id) < (n.happened_at, n.id))
    ) >= ${SecurityNotice.mostPerUserAndHour}::integer AS is_surplus`
}

/**
 * Returns one row. Returns none if a later claim counted another attempt, or if the notice is not there any more. The address of a user
 * who was erased meanwhile goes with the outcome.
 */
export function recordSecurityNotice(
  claimed: QueuedSecurityNotice,
  outcome: SecurityNotice,
  events: readonly DomainEvent[],
): Prisma.Sql {
  const nextAttemptAt = outcome.status === 'queued' ? outcome.nextAttemptAt : null
  const finishedAt = outcome.status === 'queued' ? null : outcome.finishedAt
  return Prisma.sql`/* security-notices.record */
    WITH notice AS (
      UPDATE security_notices
      SET status = ${outcome.status},
          next_attempt_at = ${nextAttemptAt}::timestamptz,
          finished_at = ${finishedAt}::timestamptz,
          recipient = CASE WHEN recipient_erased AND ${finishedAt}::timestamptz IS NOT NULL THEN ${ERASED_ADDRESS}
            ELSE recipient END
      WHERE id = ${claimed.id}::uuid
        AND bucket = ${bucketOf(claimed.subjectUserId)}::integer
        AND delivery_attempts = ${claimed.deliveryAttempts}::smallint
        AND status = 'queued'
      RETURNING id
    ), trail AS (${insertEvents('notice', events, BY_SERVICE)})
    SELECT id FROM notice`
}

/** A new notice as JSON, for the function that stores it with a decision. */
export function columnsOfSecurityNotice(notice: SecurityNoticeDraft) {
  return {
    id: idInBucketOf(notice.subjectUserId, v7()),
    kind: notice.kind,
    client_id: notice.clientId,
    recipient: notice.recipient,
    happened_at: notice.happenedAt,
    locale: notice.locale,
  }
}
