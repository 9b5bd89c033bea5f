import type { Provenance } from '../../../application/ports/provenance.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { Idempotency, PendingChallenge } from '../../../domain/challenge.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { QueuedLockNotice } from '../../../domain/lock-notice.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import { columnsOf, insertEventsOfEach } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import type { PlacedId } from '../placed-id.ts'
import type { DecisionSeals } from '../seals/row-seals.ts'
import { columnsOfSecurityNotice } from '../security-notices/security-notice-statements.ts'
import type { ShardedGrouping } from '../sharding/groups.ts'
import {
  CHALLENGE_CHANGES,
  DECISION_COLUMNS,
  NEW_CHALLENGE,
  NEW_ISSUANCE,
  OPENING_COLUMNS,
  STANDING_CHANGES,
} from './decision-columns.ts'
import {
  endOf,
  findByIdempotencyKey,
  findInBucketByIdempotencyKey,
  IDENTIFIED,
  insertChallenge,
  LOADED,
  loadStepUp,
  saveDecision,
  saveIssuingDecision,
  saveLockingDecision,
  saveNotifyingDecision,
} from './step-up-statements.ts'

/*
 * The statements of step-up-statements.ts for several requests at a time (decision 36). Each decides about its members as the
 * statement for one would.
 *
 * Without `n = n + 0` the planner expects a hundred members, and would read a small table as a whole for them. The plan would
 * then stay while the table grows. With it the planner expects one member, and always takes the index.
 */

export interface Saving {
  readonly decision: StepUpDecision
  readonly provenance: Provenance
  readonly seals: DecisionSeals
}

export interface Opening {
  readonly challenge: PendingChallenge
  readonly event: ChallengeEvent
  readonly idempotency: Idempotency
  readonly provenance: Provenance
  readonly mostLive: number | undefined
  readonly demandSeal: string | null
}

export interface Finding {
  readonly clientId: string
  readonly subjectUserId: string
  readonly key: string
}

/** Loads several step-ups, each as one row. */
export const LOADING: ShardedGrouping<PlacedId> = {
  name: 'step-ups.load',
  alone: loadStepUp,
  sharded: { called: 'load_step_ups', bucket: ({ bucket }) => bucket },
  columns: ({ id, bucket }) => ({ id, bucket }),
  together: (members) => Prisma.sql`/* step-ups.load-group */
      SELECT m.n, ${LOADED}
      FROM json_to_recordset(${members}::json) AS m (n integer, id uuid, bucket integer)
      JOIN challenges c ON c.id = m.id AND c.bucket = m.bucket
      JOIN subject_standings s ON s.subject_user_id = c.subject_user_id AND s.bucket = c.bucket
      LEFT JOIN otp_issuances i ON i.challenge_id = c.id AND i.number = c.issuance_count AND i.bucket = c.bucket
      LEFT JOIN users u ON u.user_id = c.subject_user_id AND u.bucket = c.bucket
      WHERE m.n = m.n + 0`,
}

/** Finds several challenges by the calls that opened them. */
export const FINDING: ShardedGrouping<Finding> = {
  name: 'step-ups.find-by-idempotency-key',
  alone: ({ clientId, key }) => findByIdempotencyKey(clientId, key),
  sharded: {
    alone: ({ subjectUserId, clientId, key }) => findInBucketByIdempotencyKey(subjectUserId, clientId, key),
  },
  columns: ({ clientId, key }) => ({ client_id: clientId, key }),
  together: (members) => Prisma.sql`/* step-ups.find-by-idempotency-key-group */
    SELECT m.n, ${IDENTIFIED}
    FROM json_to_recordset(${members}::json) AS m (n integer, client_id text, key text)
    JOIN challenges c ON c.client_id = m.client_id AND c.idempotency_key = m.key
    WHERE m.n = m.n + 0`,
}

/**
 * Stores several decisions, each about another subject. Each has the guard of the statement for one, the version of its
 * subject. A subject that another session has locked is skipped, so that groups neither wait for each other nor deadlock.
 * Its decision has to be sent alone, which waits for the lock. Mailboxes are counted in order, so that two groups wait for each
 * other's in one direction. A code that its mailbox has no room for has to be sent alone, too: that says why it is not stored.
 */
export const SAVING: ShardedGrouping<Saving> = {
  name: 'step-ups.save',
  alone: ({ decision, provenance, seals }) => {
    const { lockNotice, mailbox, securityNotice } = decision
    if (securityNotice) return saveNotifyingDecision(decision, securityNotice, provenance, seals)
    if (lockNotice) return saveLockingDecision(decision, lockNotice, provenance)
    return mailbox
      ? saveIssuingDecision(decision, mailbox, provenance, seals)
      : saveDecision(decision, provenance, seals)
  },
  key: ({ decision }) => decision.standing.subjectUserId,
  solitary: ({ decision: { lockNotice, securityNotice } }) => Boolean(lockNotice ?? securityNotice),
  beats: ({ decision: { standing: stored } }, { decision: { standing } }) =>
    stored.subjectUserId === standing.subjectUserId && stored.version >= standing.version,
  sharded: {
    called: 'save_decisions',
    bucket: ({ decision: { standing } }) => bucketOf(standing.subjectUserId),
    columns: (saving) => ({
      ...columnsOfDecision(saving),
      lock_notice: saving.decision.lockNotice && columnsOfLockNotice(saving.decision.lockNotice),
      security_notice:
        saving.decision.securityNotice && columnsOfSecurityNotice(saving.decision.securityNotice),
    }),
  },
  columns: columnsOfDecision,
  together: (members) => Prisma.sql`/* step-ups.save-group */
    WITH m AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${members}::json) AS m (
        n integer, ${Prisma.raw(DECISION_COLUMNS)}
      )
      WHERE n = n + 0
    ), free AS MATERIALIZED (
      SELECT m.n, s.subject_user_id, s.bucket
      FROM m
      JOIN subject_standings s ON s.subject_user_id = m.subject AND s.bucket = m.bucket AND s.version = m.version
      FOR NO KEY UPDATE OF s SKIP LOCKED
    ), sorted AS MATERIALIZED (
      SELECT free.n, free.subject_user_id, free.bucket, mailbox, issued_at, mailbox_at_most
      FROM free JOIN m USING (n)
      ORDER BY mailbox
    ), counted AS MATERIALIZED (
      SELECT n, subject_user_id, bucket
      FROM sorted
      WHERE CASE WHEN mailbox IS NULL THEN true
        ELSE count_code_for_mailbox(mailbox, issued_at, mailbox_at_most) END
    ), standing AS (
      UPDATE subject_standings s
      SET ${Prisma.raw(STANDING_CHANGES)}
      FROM counted JOIN m USING (n)
      WHERE s.subject_user_id = counted.subject_user_id AND s.bucket = counted.bucket
      RETURNING m.*
    ), challenge AS (
      UPDATE challenges c
      SET ${Prisma.raw(CHALLENGE_CHANGES)}
      FROM standing m
      WHERE c.id = m.challenge_id AND c.bucket = m.bucket AND c.subject_user_id = m.subject
      RETURNING m.*
    ), issuance AS (
      INSERT INTO otp_issuances (
        ${Prisma.raw(NEW_ISSUANCE.columns)}
      )
      SELECT ${Prisma.raw(NEW_ISSUANCE.values)}
      FROM challenge m
      WHERE m.issuance_id IS NOT NULL
    ), trail AS (${insertEventsOfEach('challenge')})
    SELECT n, challenge_id AS id, false AS alone FROM challenge
    UNION ALL
    SELECT n, challenge_id, true
    FROM m
    WHERE NOT EXISTS (SELECT FROM challenge WHERE challenge.n = m.n)
      AND EXISTS (
        SELECT FROM subject_standings s
        WHERE s.subject_user_id = m.subject AND s.bucket = m.bucket AND s.version = m.version
      )`,
}

/**
 * Stores several challenges, each of another subject. Sorted, so that two groups wait for each other's keys in one order. The first challenge of a subject
 * has to be sent alone: its row of `subject_standings` may be one that another session is still inserting, for example
 * an import, and a group would wait for that session as a whole. The same holds for a challenge whose subject and client
 * another session is opening one for.
 */
export const OPENING: ShardedGrouping<Opening> = {
  name: 'step-ups.open',
  alone: ({ challenge, event, idempotency, provenance, mostLive, demandSeal }) =>
    insertChallenge(challenge, event, idempotency, provenance, mostLive, demandSeal),
  key: ({ challenge }) => challenge.subjectUserId,
  sharded: { called: 'open_challenges', bucket: ({ challenge }) => bucketOf(challenge.subjectUserId) },
  columns: columnsOfOpening,
  together: (members) => Prisma.sql`/* step-ups.open-group */
    WITH m AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${members}::json) AS m (
        n integer, ${Prisma.raw(OPENING_COLUMNS)}
      )
      WHERE n = n + 0
    ), known AS MATERIALIZED (
      SELECT m.*,
        CASE WHEN most_live IS NULL THEN true
        ELSE has_room_for_challenge(m.subject, m.client_id, m.created_at, m.most_live, false) END AS has_room
      FROM m JOIN subject_standings s ON s.subject_user_id = m.subject AND s.bucket = m.bucket
    ), opened AS (
      INSERT INTO challenges (
        ${Prisma.raw(NEW_CHALLENGE.columns)}
      )
      SELECT ${Prisma.raw(NEW_CHALLENGE.values)}
      FROM known m
      WHERE m.has_room
      ORDER BY m.client_id, m.key
      ON CONFLICT (client_id, idempotency_key) DO NOTHING
      RETURNING id
    ), challenge AS (
      SELECT known.* FROM opened JOIN known ON known.challenge_id = opened.id
    ), trail AS (${insertEventsOfEach('challenge')})
    SELECT n, challenge_id AS id, false AS alone FROM challenge
    UNION ALL
    SELECT n, challenge_id, true FROM m WHERE NOT EXISTS (SELECT FROM known WHERE known.n = m.n AND has_room IS NOT NULL)`,
}

function callerOf({ actor, requestId, remoteAddress }: Provenance) {
  return { actor, request_id: requestId, remote_address: remoteAddress }
}

function columnsOfDecision({
  decision: { challenge, standing, issued, mailbox, events },
  provenance,
  seals,
}: Saving) {
  const { verifiedAt, consumedAt, consumedBy, exhaustedAt, cancelledAt } = endOf(challenge)
  return {
    bucket: bucketOf(standing.subjectUserId),
    subject: standing.subjectUserId,
    version: standing.version,
    failures: standing.consecutiveFailures,
    locks: standing.consecutiveLocks,
    locked_until: standing.lockedUntil,
    recent_issuances: standing.recentIssuances,
    challenge_id: challenge.id,
    status: challenge.status,
    attempts_remaining: challenge.attemptsRemaining,
    issuance_count: challenge.issuanceCount,
    verified_at: verifiedAt,
    consumed_at: consumedAt,
    consumption_key: consumedBy?.key,
    consumption_fingerprint: consumedBy?.fingerprint,
    exhausted_at: exhaustedAt,
    cancelled_at: cancelledAt,
    mismatched_by: challenge.mismatchedBy,
    approval_seal: seals.approval,
    consumption_seal: seals.consumption,
    ...(issued && {
      issuance_id: issued.id,
      number: issued.number,
      key_id: issued.keyId,
      recipient: issued.recipient,
      issued_at: issued.issuedAt,
      expires_at: issued.expiresAt,
      next_attempt_at: issued.nextAttemptAt,
      trace_context: provenance.traceContext,
      issuance_seal: seals.issuance,
      mailbox: mailbox?.key,
      mailbox_at_most: mailbox?.atMost,
    }),
    events: events.map(columnsOf),
    ...callerOf(provenance),
  }
}

function columnsOfLockNotice({ id, recipient, lockedAt, lockedUntil, nextAttemptAt }: QueuedLockNotice) {
  return {
    id,
    recipient,
    locked_at: lockedAt,
    locked_until: lockedUntil,
    next_attempt_at: nextAttemptAt,
  }
}

function columnsOfOpening({ challenge, event, idempotency, provenance, mostLive, demandSeal }: Opening) {
  return {
    challenge_id: challenge.id,
    client_id: challenge.clientId,
    bucket: bucketOf(challenge.subjectUserId),
    subject: challenge.subjectUserId,
    type: challenge.operation.type,
    digest: challenge.operation.digest,
    summary: challenge.operation.summary,
    attempts_remaining: challenge.attemptsRemaining,
    created_at: challenge.createdAt,
    expires_at: challenge.expiresAt,
    key: idempotency.key,
    fingerprint: idempotency.fingerprint,
    most_live: mostLive,
    demand_seal: demandSeal,
    events: [columnsOf(event)],
    ...callerOf(provenance),
  }
}
