import type { Provenance } from '../../../application/ports/provenance.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import type { MailboxKey } from '../../../domain/email-address.ts'
import type { OtpIssuance } from '../../../domain/otp-issuance.ts'
import type { SubjectStanding } from '../../../domain/subject-standing.ts'
import { columnsOf, insertEvents } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { deliveryOf, ISSUANCE_COLUMNS } from '../otp-outbox/issuance-row.ts'
import type { PlacedId } from '../placed-id.ts'
import { delegated } from '../sharding/delegated.ts'
import { STANDING_COLUMNS } from '../step-ups/standing-row.ts'

export const OUTCOME = Prisma.raw([ISSUANCE_COLUMNS, STANDING_COLUMNS].join(', '))
const STANDING = Prisma.raw(STANDING_COLUMNS)

export function loadMailOutcome({ id, bucket }: PlacedId): Prisma.Sql {
  return Prisma.sql`/* mail-outcomes.load */
    SELECT ${OUTCOME}
    FROM otp_issuances i
    JOIN subject_standings s ON s.subject_user_id = i.subject_user_id AND s.bucket = i.bucket
    WHERE i.id = ${id}::uuid AND i.bucket = ${bucket}::integer`
}

/** The bucket of an issuance whose id does not carry it, because the id is from before the buckets. */
export function findIssuanceBucket(issuanceId: string): Prisma.Sql {
  return Prisma.sql`/* mail-outcomes.find-bucket */
    SELECT i.bucket FROM otp_issuances i WHERE i.id = ${issuanceId}::uuid`
}

/** Stores a report about a mail and returns one row. Returns none if another report was stored since the load. */
export function saveReport(
  before: OtpIssuance,
  after: OtpIssuance,
  events: readonly DomainEvent[],
  provenance: Provenance,
): Prisma.Sql {
  return Prisma.sql`/* mail-outcomes.save */
    WITH issuance AS (
      UPDATE otp_issuances SET ${reported(after)} WHERE ${stillAs(before)} RETURNING id
    ), trail AS (${insertEvents('issuance', events, provenance)})
    SELECT id FROM issuance`
}

/** Stores a delay, with the same guard. Changes no column that a claim or the record of a delivery writes. */
export function saveDelay(
  before: OtpIssuance,
  delayedAt: Date,
  events: readonly DomainEvent[],
  provenance: Provenance,
): Prisma.Sql {
  return Prisma.sql`/* mail-outcomes.save-delay */
    WITH issuance AS (
      UPDATE otp_issuances SET delayed_at = ${delayedAt}::timestamptz WHERE ${stillAs(before)} RETURNING id
    ), trail AS (${insertEvents('issuance', events, provenance)})
    SELECT id FROM issuance`
}

/**
 * Stores a report and the suppression that follows from it. Locks the standing first, as does every statement that locks
 * both. Changes the standing last, after the guard of the issuance has held too. The lock lets foreign keys to the standing
 * pass: a statement that opens a challenge checks them while it holds the head of the subject's trail.
 */
export function saveReportAndSuppression(
  before: OtpIssuance,
  after: OtpIssuance,
  standing: SubjectStanding,
  events: readonly DomainEvent[],
  provenance: Provenance,
): Prisma.Sql {
  return Prisma.sql`/* mail-outcomes.save-with-suppression */
    WITH guard AS (
      SELECT subject_user_id
      FROM subject_standings
      WHERE subject_user_id = ${standing.subjectUserId} AND bucket = ${bucketOf(standing.subjectUserId)}::integer
        AND version = ${standing.version}::integer
      FOR NO KEY UPDATE
    ), issuance AS (
      UPDATE otp_issuances
      SET ${reported(after)}
      FROM guard
      WHERE ${stillAs(before)} AND otp_issuances.subject_user_id = guard.subject_user_id
      RETURNING id, otp_issuances.subject_user_id
    ), standing AS (
      UPDATE subject_standings s
      SET ${suppressed(standing)}
      FROM issuance
      WHERE s.subject_user_id = issuance.subject_user_id AND s.bucket = ${bucketOf(standing.subjectUserId)}::integer
      RETURNING s.subject_user_id
    ), trail AS (${insertEvents('standing', events, provenance)})
    SELECT subject_user_id FROM standing`
}

/** The same on the server of the subject. */
export function saveShardedSuppression(
  standing: SubjectStanding,
  events: readonly DomainEvent[],
  { actor, requestId, remoteAddress }: Provenance,
): Prisma.Sql {
  const bucket = bucketOf(standing.subjectUserId)
  const report = {
    ...{ n: 0, bucket, is_about_code: false },
    subject: standing.subjectUserId,
    version: standing.version,
    ...suppressionOf(standing),
    events: events.map(columnsOf),
    actor,
    request_id: requestId,
    remote_address: remoteAddress,
  }
  return delegated('suppressions.save', 'save_reports', bucket, JSON.stringify([report]))
}

/** Stores a suppression or its end and returns one row. Returns none if the subject's version has changed. */
export function saveSuppression(
  standing: SubjectStanding,
  events: readonly DomainEvent[],
  provenance: Provenance,
): Prisma.Sql {
  return Prisma.sql`/* suppressions.save */
    WITH standing AS (
      UPDATE subject_standings
      SET ${suppressed(standing)}
      WHERE subject_user_id = ${standing.subjectUserId} AND bucket = ${bucketOf(standing.subjectUserId)}::integer
        AND version = ${standing.version}::integer
      RETURNING subject_user_id
    ), trail AS (${insertEvents('standing', events, provenance)})
    SELECT subject_user_id FROM standing`
}

export function findStanding(subjectUserId: string): Prisma.Sql {
  return Prisma.sql`/* suppressions.find-by-subject */
    SELECT ${STANDING}
    FROM subject_standings s
    WHERE s.subject_user_id = ${subjectUserId} AND s.bucket = ${bucketOf(subjectUserId)}::integer`
}

/**
 * `COLLATE "C"` lowers A to Z and nothing else, as the key does, in a database of any language: Turkish makes `ı` of `I`. The second
 * condition lets PostgreSQL use the partial index.
 */
export function findSuppressedAt(mailbox: MailboxKey): Prisma.Sql {
  return Prisma.sql`/* suppressions.find-by-mailbox */
    SELECT ${STANDING}
    FROM subject_standings s
    WHERE lower(s.suppressed_address COLLATE "C") = ${mailbox} AND s.suppressed_address IS NOT NULL`
}

/** The columns that a report sets. None is one that the deliverer writes: attempts, time of sending, message id. */
export function reportOf(issuance: OtpIssuance) {
  const { nextAttemptAt, failedAt, failureReason, deliveredAt, bouncedAt, bounceKind } = deliveryOf(issuance)
  return {
    status: issuance.status,
    next_attempt_at: nextAttemptAt,
    failed_at: failedAt,
    failure_reason: failureReason,
    delivered_at: deliveredAt,
    bounced_at: bouncedAt,
    bounce_kind: bounceKind,
  }
}

function reported(issuance: OtpIssuance): Prisma.Sql {
  const report = reportOf(issuance)
  return Prisma.sql`
        status = ${report.status},
        next_attempt_at = ${report.next_attempt_at}::timestamptz,
        failed_at = ${report.failed_at}::timestamptz,
        failure_reason = ${report.failure_reason},
        delivered_at = ${report.delivered_at}::timestamptz,
        bounced_at = ${report.bounced_at}::timestamptz,
        bounce_kind = ${report.bounce_kind}`
}

/** Whether the stored reports are still those that the decision was made on. */
function stillAs(issuance: OtpIssuance): Prisma.Sql {
  const { deliveredAt, bouncedAt, bounceKind } = deliveryOf(issuance)
  return Prisma.sql`
        otp_issuances.id = ${issuance.id}::uuid
        AND otp_issuances.bucket = ${bucketOf(issuance.subjectUserId)}::integer
        AND delayed_at IS NOT DISTINCT FROM ${issuance.delayedAt ?? null}::timestamptz
        AND delivered_at IS NOT DISTINCT FROM ${deliveredAt}::timestamptz
        AND bounced_at IS NOT DISTINCT FROM ${bouncedAt}::timestamptz
        AND bounce_kind IS NOT DISTINCT FROM ${bounceKind}`
}

function suppressed(standing: SubjectStanding): Prisma.Sql {
  const { suppressed_address, suppression_reason, suppression_changed_at } = suppressionOf(standing)
  return Prisma.sql`
        suppressed_address = ${suppressed_address},
        suppression_reason = ${suppression_reason},
        suppression_changed_at = ${suppression_changed_at}::timestamptz,
        version = version + 1`
}

/** The columns that a suppression, or its end, sets. */
export function suppressionOf({ suppression }: SubjectStanding) {
  return {
    suppressed_address: suppression?.address ?? null,
    suppression_reason: suppression?.address ? suppression.reason : null,
    suppression_changed_at: suppression?.at ?? null,
  }
}
