import { bucketOf } from '../../../domain/bucket.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../../domain/otp-issuance.ts'
import { columnsOf } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { leased } from '../lease.ts'
import type { DelegatedInputs, ShardedGrouping } from '../sharding/groups.ts'
import type { Claiming } from '../sharding/sharded-claims.ts'
import { CHALLENGE_COLUMNS, endedOnTrail } from '../step-ups/challenge-row.ts'
import { USER_COLUMNS } from '../users/user-row.ts'
import { deliveryOf, ISSUANCE_COLUMNS } from './issuance-row.ts'

/* The statements behind every delivery. Their text is constant, as in step-up-statements.ts. */

export const TRACE_CONTEXT = 'i.trace_context AS i_trace_context'

const COLUMNS = Prisma.raw([ISSUANCE_COLUMNS, CHALLENGE_COLUMNS, USER_COLUMNS, TRACE_CONTEXT].join(', '))

/** A mail goes out only for a pending challenge, so it is `set_back` if the trail has the end of that challenge. */
export function claimDue(limit: number, now: Date, leaseEnd: Date): Prisma.Sql {
  return Prisma.sql`/* otp-outbox.claim */
    WITH ${leased('otp_issuances', 'i', limit, now, leaseEnd)}
    SELECT ${COLUMNS}, c.status = 'pending' AND ${endedOnTrail(Prisma.sql`c.bucket`)} AS set_back
    FROM i
    JOIN challenges c ON c.id = i.challenge_id AND c.bucket = i.bucket
    LEFT JOIN users u ON u.user_id = i.subject_user_id AND u.bucket = i.bucket
    ORDER BY i.issued_at`
}

/** The same for mails that are known, where their rows are. */
export const CLAIMING: DelegatedInputs<Claiming> = {
  name: 'otp-outbox.claim-one',
  columns: ({ place, now, leaseEnd }) => ({ ...place, now, lease_end: leaseEnd }),
  sharded: { called: 'claim_issuances', bucket: ({ place }) => place.bucket },
}

export interface Attempt {
  /** The issuance as the deliverer claimed it. */
  readonly claimed: QueuedIssuance
  readonly outcome: OtpIssuance
  readonly event: ChallengeEvent
}

/**
 * Records attempts. The number of the attempt guards each, because a later claim increments it. If a delivery report was
 * stored first, it is kept; the send only adds its time and message id. Returns a row for each attempt that took effect.
 * If two attempts are for one mail, only one does. The order of the events is that of all statements for several subjects.
 */
export const RECORDING: ShardedGrouping<Attempt> = {
  name: 'otp-outbox.record',
  alone: (attempt) => recordOutcomes(JSON.stringify([{ n: 0, ...columnsOfAttempt(attempt) }])),
  sharded: { called: 'record_attempts', bucket: ({ claimed }) => bucketOf(claimed.subjectUserId) },
  columns: columnsOfAttempt,
  together: recordOutcomes,
}

/** An attempt, as its JSON has it. */
export const ATTEMPT = `n integer, bucket integer, id uuid, number smallint, status text, next_attempt_at timestamptz,
        sent_at timestamptz, message_id text, failed_at timestamptz, failure_reason text, event jsonb`

/** `i` is the row of the code, `m` the attempt. */
export const ATTEMPT_CHANGES = `status = CASE WHEN i.status = 'queued' THEN m.status ELSE i.status END,
          next_attempt_at = m.next_attempt_at,
          sent_at = m.sent_at,
          message_id = m.message_id,
          failed_at = m.failed_at,
          failure_reason = m.failure_reason`

export const ATTEMPT_GUARD = `i.delivery_attempts = m.number
        AND (
          i.status = 'queued'
          OR m.status = 'sent' AND i.status IN ('delivered', 'bounced') AND i.sent_at IS NULL
        )`

function recordOutcomes(attempts: string): Prisma.Sql {
  return Prisma.sql`/* otp-outbox.record */
    WITH attempt AS (
      SELECT * FROM json_to_recordset(${attempts}::json) AS attempt (
        ${Prisma.raw(ATTEMPT)}
      )
      WHERE n = n + 0
    ), issuance AS (
      UPDATE otp_issuances i
      SET ${Prisma.raw(ATTEMPT_CHANGES)}
      FROM attempt m
      WHERE i.id = m.id AND i.bucket = m.bucket AND ${Prisma.raw(ATTEMPT_GUARD)}
      RETURNING m.n, m.event
    ), trail AS (
      INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
      SELECT (event ->> 'bucket')::integer, (event ->> 'challengeId')::uuid, event ->> 'subjectUserId', event ->> 'type',
        (event ->> 'at')::timestamptz, 'service', event -> 'details'
      FROM issuance
      ORDER BY event ->> 'subjectUserId' COLLATE "C", n
    )
    SELECT n FROM issuance`
}

function columnsOfAttempt({ claimed, outcome, event }: Attempt) {
  const { nextAttemptAt, sentAt, messageId, failedAt, failureReason } = deliveryOf(outcome)
  return {
    bucket: bucketOf(claimed.subjectUserId),
    id: claimed.id,
    number: claimed.deliveryAttempts,
    status: outcome.status,
    next_attempt_at: nextAttemptAt,
    sent_at: sentAt,
    message_id: messageId,
    failed_at: failedAt,
    failure_reason: failureReason,
    event: columnsOf(event),
  }
}
