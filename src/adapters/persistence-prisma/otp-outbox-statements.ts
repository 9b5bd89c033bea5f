import type { Provenance } from '../../application/ports/provenance.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import { insertEvents } from './events.ts'
import { Prisma } from './generated/client.ts'
import { COLUMNS, deliveryOf } from './rows.ts'

/* The statements behind every delivery, constant in their text like those behind every decision. */

const CLAIMED = Prisma.raw(
  [COLUMNS.issuance, COLUMNS.challenge, COLUMNS.user, 'i.trace_context AS i_trace_context'].join(', '),
)

export function claimDue(limit: number, now: Date, leaseEnd: Date): Prisma.Sql {
  return Prisma.sql`/* otp-outbox.claim */
    WITH due AS (
      SELECT id
      FROM otp_issuances
      WHERE status = 'queued' AND next_attempt_at <= ${now}::timestamptz
      ORDER BY next_attempt_at
      LIMIT ${limit}::integer
      FOR UPDATE SKIP LOCKED
    ), i AS (
      UPDATE otp_issuances
      SET next_attempt_at = ${leaseEnd}::timestamptz, delivery_attempts = delivery_attempts + 1
      FROM due
      WHERE otp_issuances.id = due.id
      RETURNING otp_issuances.*
    )
    SELECT ${CLAIMED}
    FROM i
    JOIN challenges c ON c.id = i.challenge_id
    LEFT JOIN users u ON u.user_id = i.subject_user_id
    ORDER BY i.issued_at`
}

/** What happens to a mail is nobody's request. */
const SERVICE: Provenance = { actor: 'service' }

/**
 * Guarded by the number of the attempt: whoever claimed it since has counted another one. Where the mail system has
 * reported meanwhile, its word stays, and all there is to add is that and when the mail was handed over.
 */
export function recordOutcome(
  claimed: QueuedIssuance,
  outcome: OtpIssuance,
  event: ChallengeEvent,
): Prisma.Sql {
  const { nextAttemptAt, sentAt, messageId, failedAt, failureReason } = deliveryOf(outcome)
  return Prisma.sql`/* otp-outbox.record */
    WITH issuance AS (
      UPDATE otp_issuances
      SET status = CASE status WHEN 'queued' THEN ${outcome.status} ELSE status END,
          next_attempt_at = ${nextAttemptAt}::timestamptz,
          sent_at = ${sentAt}::timestamptz,
          message_id = ${messageId},
          failed_at = ${failedAt}::timestamptz,
          failure_reason = ${failureReason}
      WHERE id = ${claimed.id}::uuid
        AND delivery_attempts = ${claimed.deliveryAttempts}::smallint
        AND (
          status = 'queued'
          OR ${outcome.status} = 'sent' AND status IN ('delivered', 'bounced') AND sent_at IS NULL
        )
      RETURNING id
    )
    ${insertEvents('issuance', [event], SERVICE)}`
}
