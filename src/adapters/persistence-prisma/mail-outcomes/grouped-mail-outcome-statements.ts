import type { Provenance } from '../../../application/ports/provenance.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../../domain/mail-outcome.ts'
import type { OtpIssuance } from '../../../domain/otp-issuance.ts'
import { columnsOf, insertEventsOfEach } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { deliveryOf } from '../otp-outbox/issuance-row.ts'
import type { PlacedId } from '../placed-id.ts'
import type { ShardedGrouping } from '../sharding/groups.ts'
import {
  loadMailOutcome,
  OUTCOME,
  reportOf,
  saveDelay,
  saveReport,
  saveReportAndSuppression,
  saveSuppression,
  suppressionOf,
} from './mail-outcome-statements.ts'

/*
 * The statements of mail-outcome-statements.ts for several reports at a time. Each decides about its members as the statement for one
 * would. For `n = n + 0` see grouped-step-up-statements.ts.
 */

export interface Reporting {
  readonly before: MailOutcome
  readonly decision: MailOutcomeDecision
  readonly provenance: Provenance
}

/** A report, as its JSON has it. */
export const REPORT = `n integer, bucket integer, id uuid, was_delayed_at timestamptz, was_delivered_at timestamptz,
        was_bounced_at timestamptz, was_bounce_kind text, delayed_at timestamptz, status text, next_attempt_at timestamptz, failed_at timestamptz,
        failure_reason text, delivered_at timestamptz, bounced_at timestamptz, bounce_kind text,
        subject text, version integer, suppressed_address text, suppression_reason text, suppression_changed_at timestamptz,
        events json, actor text, request_id text, remote_address text`

/** Whether no other report was stored since the load. `i` is the row of the code, `m` the report. */
export const REPORT_GUARD = `i.delayed_at IS NOT DISTINCT FROM m.was_delayed_at
        AND i.delivered_at IS NOT DISTINCT FROM m.was_delivered_at
        AND i.bounced_at IS NOT DISTINCT FROM m.was_bounced_at
        AND i.bounce_kind IS NOT DISTINCT FROM m.was_bounce_kind`

export const REPORT_CHANGES = `delayed_at = coalesce(m.delayed_at, i.delayed_at),
          status = coalesce(m.status, i.status),
          next_attempt_at = CASE WHEN m.status IS NULL THEN i.next_attempt_at ELSE m.next_attempt_at END,
          failed_at = CASE WHEN m.status IS NULL THEN i.failed_at ELSE m.failed_at END,
          failure_reason = CASE WHEN m.status IS NULL THEN i.failure_reason ELSE m.failure_reason END,
          delivered_at = CASE WHEN m.status IS NULL THEN i.delivered_at ELSE m.delivered_at END,
          bounced_at = CASE WHEN m.status IS NULL THEN i.bounced_at ELSE m.bounced_at END,
          bounce_kind = CASE WHEN m.status IS NULL THEN i.bounce_kind ELSE m.bounce_kind END`

/** `s` is the row of the standing, `m` the report. */
export const SUPPRESSION_CHANGES = `suppressed_address = m.suppressed_address, suppression_reason = m.suppression_reason,
          suppression_changed_at = m.suppression_changed_at, version = s.version + 1`

/** Loads several issuances with the standings of their subjects, each as one row. */
export const LOADING_OUTCOME: ShardedGrouping<PlacedId> = {
  name: 'mail-outcomes.load',
  alone: loadMailOutcome,
  sharded: { called: 'load_mail_outcomes', bucket: ({ bucket }) => bucket },
  columns: ({ id, bucket }) => ({ id, bucket }),
  together: (members) => Prisma.sql`/* mail-outcomes.load-group */
    SELECT m.n, ${OUTCOME}
    FROM json_to_recordset(${members}::json) AS m (n integer, id uuid, bucket integer)
    JOIN otp_issuances i ON i.id = m.id AND i.bucket = m.bucket
    JOIN subject_standings s ON s.subject_user_id = i.subject_user_id AND s.bucket = i.bucket
    WHERE m.n = m.n + 0`,
}

/**
 * Stores several reports, each about another subject, with the suppressions that follow from them. A row that another session has
 * locked is skipped, so that groups neither wait for each other's rows nor deadlock. Its report has to be sent alone. The standing of
 * a report that suppresses is locked before its issuance, as in the statement for one.
 */
export const SAVING_REPORT: ShardedGrouping<Reporting> = {
  name: 'mail-outcomes.save',
  alone: ({ before, decision, provenance }) => statementFor(before, decision, provenance),
  key: ({ before }) => before.standing.subjectUserId,
  solitary: ({ decision: { issuance } }) => !issuance,
  sharded: {
    called: 'save_reports',
    bucket: ({ before }) => bucketOf(before.standing.subjectUserId),
    columns: (reporting) => ({
      ...columnsOfReport(reporting),
      is_about_code: reporting.decision.issuance !== undefined,
    }),
  },
  columns: columnsOfReport,
  together: (members) => Prisma.sql`/* mail-outcomes.save-group */
    WITH m AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${members}::json) AS m (
        ${Prisma.raw(REPORT)}
      )
      WHERE n = n + 0
    ), guarded AS MATERIALIZED (
      SELECT m.n
      FROM m
      JOIN subject_standings s ON s.subject_user_id = m.subject AND s.bucket = m.bucket AND s.version = m.version
      FOR NO KEY UPDATE OF s SKIP LOCKED
    ), lockable AS MATERIALIZED (
      SELECT * FROM m WHERE subject IS NULL OR n IN (SELECT n FROM guarded)
    ), free AS MATERIALIZED (
      SELECT m.n, i.id, i.bucket
      FROM lockable m
      JOIN otp_issuances i ON i.id = m.id AND i.bucket = m.bucket
        AND ${Prisma.raw(REPORT_GUARD)}
      FOR NO KEY UPDATE OF i SKIP LOCKED
    ), issuance AS (
      UPDATE otp_issuances i
      SET ${Prisma.raw(REPORT_CHANGES)}
      FROM free JOIN m USING (n)
      WHERE i.id = free.id AND i.bucket = free.bucket
      RETURNING m.*
    ), standing AS (
      UPDATE subject_standings s
      SET ${Prisma.raw(SUPPRESSION_CHANGES)}
      FROM issuance m
      WHERE s.subject_user_id = m.subject AND s.bucket = m.bucket
    ), trail AS (${insertEventsOfEach('issuance')})
    SELECT n, id, false AS alone FROM issuance
    UNION ALL
    SELECT n, id, true FROM m WHERE NOT EXISTS (SELECT FROM issuance WHERE issuance.n = m.n)`,
}

function columnsOfReport({ before, decision: { issuance: after, standing, events }, provenance }: Reporting) {
  const known = deliveryOf(before.issuance)
  // A report about no code is about the standing alone.
  const suppressing = standing ?? (after ? undefined : before.standing)
  return {
    bucket: bucketOf(before.issuance.subjectUserId),
    id: before.issuance.id,
    was_delayed_at: before.issuance.delayedAt,
    was_delivered_at: known.deliveredAt,
    was_bounced_at: known.bouncedAt,
    was_bounce_kind: known.bounceKind,
    events: events.map(columnsOf),
    actor: provenance.actor,
    request_id: provenance.requestId,
    remote_address: provenance.remoteAddress,
    ...(after && (isDelay(before.issuance, after) ? { delayed_at: after.delayedAt } : reportOf(after))),
    ...(suppressing && {
      subject: suppressing.subjectUserId,
      version: suppressing.version,
      ...suppressionOf(suppressing),
    }),
  }
}

function statementFor(
  before: MailOutcome,
  { issuance, standing, events }: MailOutcomeDecision,
  provenance: Provenance,
): Prisma.Sql {
  if (!issuance) return saveSuppression(standing ?? before.standing, events, provenance)
  if (isDelay(before.issuance, issuance)) {
    return saveDelay(before.issuance, issuance.delayedAt, events, provenance)
  }
  if (!standing) return saveReport(before.issuance, issuance, events, provenance)
  return saveReportAndSuppression(before.issuance, issuance, standing, events, provenance)
}

function isDelay(
  before: OtpIssuance,
  after: OtpIssuance,
): after is OtpIssuance & { readonly delayedAt: Date } {
  return after.delayedAt !== undefined && after.delayedAt !== before.delayedAt
}
