import type { Provenance } from '../../../application/ports/provenance.ts'
import type { StrangerEvent } from '../../../application/ports/step-ups.ts'
import { bucketInId, bucketOf } from '../../../domain/bucket.ts'
import type { Challenge, Idempotency, PendingChallenge } from '../../../domain/challenge.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import type { QueuedLockNotice } from '../../../domain/lock-notice.ts'
import type { SecurityNoticeDraft } from '../../../domain/security-notice.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'
import { columnsOf, insertEvents } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { ISSUANCE_COLUMNS } from '../otp-outbox/issuance-row.ts'
import type { PlacedId } from '../placed-id.ts'
import { type DecisionSeals, UNSEALED } from '../seals/row-seals.ts'
import { insertSecurityNotice } from '../security-notices/security-notice-statements.ts'
import { USER_COLUMNS } from '../users/user-row.ts'
import { CHALLENGE_COLUMNS, endedOnTrail } from './challenge-row.ts'
import { STANDING_COLUMNS } from './standing-row.ts'

/*
 * The statements behind every decision. The text of each is constant, because values are parameters. It is thus prepared
 * once per connection, under the name in its leading comment. The server's logs show the name too.
 */

/** Whether the audit trail says that a verified challenge has ended: somebody has set it back. Not looked up for others. */
const SET_BACK = Prisma.sql`c.status = 'verified' AND ${endedOnTrail(Prisma.sql`c.bucket`)} AS set_back`

const COLUMNS = Prisma.raw([CHALLENGE_COLUMNS, STANDING_COLUMNS, ISSUANCE_COLUMNS, USER_COLUMNS].join(', '))

export const LOADED = Prisma.sql`${COLUMNS}, ${SET_BACK}`

/** Loads everything that a decision depends on, as one row of one snapshot. */
export function loadStepUp({ id, bucket }: PlacedId): Prisma.Sql {
  return Prisma.sql`/* step-ups.load */
    SELECT ${LOADED}
    FROM challenges c
    JOIN subject_standings s ON s.subject_user_id = c.subject_user_id AND s.bucket = c.bucket
    LEFT JOIN otp_issuances i ON i.challenge_id = c.id AND i.number = c.issuance_count AND i.bucket = c.bucket
    LEFT JOIN users u ON u.user_id = c.subject_user_id AND u.bucket = c.bucket
    WHERE c.id = ${id}::uuid AND c.bucket = ${bucket}::integer`
}

/** The bucket of a challenge whose id does not carry it, because the id is from before the buckets. */
export function findBucket(challengeId: string): Prisma.Sql {
  return Prisma.sql`/* step-ups.find-bucket */
    SELECT c.bucket FROM challenges c WHERE c.id = ${challengeId}::uuid`
}

/**
 * Stores a decision and returns one row. Returns none if the subject's version has changed. That version is the only
 * guard. It suffices: every decision about the subject increments it, so while it is unchanged, all else is too.
 * A concurrent save waits for the row of the standing and then finds a newer version (READ COMMITTED).
 */
export function saveDecision(
  decision: StepUpDecision,
  provenance: Provenance,
  seals: DecisionSeals = UNSEALED,
): Prisma.Sql {
  return Prisma.sql`/* step-ups.save */
    WITH ${stored(decision, provenance, seals)}
    SELECT id FROM challenge`
}

/**
 * Stores a decision that issues a code, unless its mailbox has no room for it. It takes the row of the subject before it counts the
 * code: a decision that has lost its race counts nothing.
 */
export function saveIssuingDecision(
  decision: StepUpDecision,
  mailbox: NonNullable<StepUpDecision['mailbox']>,
  provenance: Provenance,
  seals: DecisionSeals = UNSEALED,
): Prisma.Sql {
  const { standing, issued } = decision
  return Prisma.sql`/* step-ups.save-with-code */
    WITH free AS MATERIALIZED (
      SELECT subject_user_id
      FROM subject_standings
      WHERE subject_user_id = ${standing.subjectUserId} AND bucket = ${bucketOf(standing.subjectUserId)}::integer
        AND version = ${standing.version}::integer
      FOR NO KEY UPDATE
    ), counted AS MATERIALIZED (
      SELECT subject_user_id
      FROM free
      WHERE count_code_for_mailbox(${mailbox.key}, ${issued?.issuedAt ?? null}::timestamptz, ${mailbox.atMost}::integer)
    ), ${stored(decision, provenance, seals, 'AND EXISTS (SELECT FROM counted)')}
    SELECT id FROM challenge`
}

/** Stores a decision that ends a challenge, and the notice about it. The notice exists only if the decision is stored. */
export function saveNotifyingDecision(
  decision: StepUpDecision,
  notice: SecurityNoticeDraft,
  provenance: Provenance,
  seals: DecisionSeals,
): Prisma.Sql {
  return Prisma.sql`/* step-ups.save-with-security-notice */
    WITH ${stored(decision, provenance, seals)}, notice AS (${insertSecurityNotice('challenge', notice)})
    SELECT id FROM challenge`
}

/** When the mailbox has room for a code again; null if it has. */
export function findMailboxSpentUntil(
  { key, atMost }: NonNullable<StepUpDecision['mailbox']>,
  now: Date,
): Prisma.Sql {
  return Prisma.sql`/* mailbox-issuances.find-spent-until */
    SELECT (
      SELECT t
      FROM unnest(m.issued_at) AS t
      WHERE t > ${now}::timestamptz - interval '1 hour'
      ORDER BY t DESC
      OFFSET ${atMost}::integer - 1
      LIMIT 1
    ) + interval '1 hour' AS until
    FROM mailbox_issuances m
    WHERE m.mailbox = sha256(convert_to(${key}, 'UTF8'))`
}

/** Stores a decision that locks the subject, and the notice of the lock. The notice exists only if the decision is stored. */
export function saveLockingDecision(
  decision: StepUpDecision,
  notice: QueuedLockNotice,
  provenance: Provenance,
): Prisma.Sql {
  return Prisma.sql`/* step-ups.save-with-lock-notice */
    WITH ${stored(decision, provenance, UNSEALED)}, notice AS (
      INSERT INTO lock_notices (
        bucket, id, challenge_id, subject_user_id, recipient, locked_at, locked_until,
        status, delivery_attempts, next_attempt_at
      )
      SELECT challenge.bucket, ${notice.id}::uuid, challenge.id, challenge.subject_user_id, ${notice.recipient},
        ${notice.lockedAt}::timestamptz, ${notice.lockedUntil}::timestamptz,
        'queued', 0, ${notice.nextAttemptAt}::timestamptz
      FROM challenge
    )
    SELECT id FROM challenge`
}

/**
 * The parts of a statement that store a decision. `challenge` has a row only if the decision is stored.
 *
 * @param condition a further one, besides the version.
 */
function stored(
  { challenge, standing, issued, events }: StepUpDecision,
  provenance: Provenance,
  seals: DecisionSeals,
  condition = '',
): Prisma.Sql {
  const { verifiedAt, consumedAt, consumedBy, exhaustedAt, cancelledAt } = endOf(challenge)
  const bucket = bucketOf(standing.subjectUserId)
  return Prisma.sql`standing AS (
      UPDATE subject_standings
      SET consecutive_failures = ${standing.consecutiveFailures}::smallint,
          consecutive_locks = ${standing.consecutiveLocks}::smallint,
          locked_until = ${standing.lockedUntil ?? null}::timestamptz,
          recent_issuances = ${standing.recentIssuances.map((at) => at.toISOString())}::timestamptz[],
          version = version + 1
      WHERE subject_user_id = ${standing.subjectUserId} AND bucket = ${bucket}::integer
        AND version = ${standing.version}::integer
        ${Prisma.raw(condition)}
      RETURNING subject_user_id
    ), challenge AS (
      UPDATE challenges c
      SET status = ${challenge.status},
          attempts_remaining = ${challenge.attemptsRemaining}::smallint,
          issuance_count = ${challenge.issuanceCount}::smallint,
          verified_at = ${verifiedAt}::timestamptz,
          consumed_at = ${consumedAt}::timestamptz,
          consumption_key = ${consumedBy?.key ?? null},
          consumption_fingerprint = ${consumedBy?.fingerprint ?? null},
          exhausted_at = ${exhaustedAt}::timestamptz,
          cancelled_at = ${cancelledAt}::timestamptz,
          approval_seal = coalesce(${seals.approval}, approval_seal),
          consumption_seal = coalesce(${seals.consumption}, consumption_seal),
          mismatched_by = ${challenge.mismatchedBy ?? null}::text[]
      FROM standing
      WHERE c.id = ${challenge.id}::uuid AND c.bucket = ${bucket}::integer
        AND c.subject_user_id = standing.subject_user_id
      RETURNING c.bucket, c.id, c.subject_user_id
    ), issuance AS (
      INSERT INTO otp_issuances (
        bucket, id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at,
        status, delivery_attempts, next_attempt_at, trace_context, seal
      )
      SELECT challenge.bucket, new_id, challenge.id, challenge.subject_user_id, ${issued?.number ?? null}::smallint,
        ${issued?.keyId ?? null}, ${issued?.recipient ?? null}, ${issued?.issuedAt ?? null}::timestamptz,
        ${issued?.expiresAt ?? null}::timestamptz, 'queued', 0, ${issued?.nextAttemptAt ?? null}::timestamptz,
        ${provenance.traceContext ?? null}, ${seals.issuance}
      FROM challenge, (VALUES (${issued?.id ?? null}::uuid)) AS issued (new_id)
      WHERE new_id IS NOT NULL
    ), trail AS (${insertEvents('challenge', events, provenance)})`
}

/**
 * Stores a new challenge and returns one row. Returns none if its client used the idempotency key before, or if the subject has
 * `mostLive` live challenges at the client. Two calls for the same subject and client count one after the other.
 * The standing comes first: a session that inserts it at the same moment holds it, and takes the head of the trail afterwards, as this
 * statement does. A standing that is there is not inserted: the conflict would wait for the session that changes it.
 */
export function insertChallenge(
  challenge: PendingChallenge,
  event: ChallengeEvent,
  idempotency: Idempotency,
  provenance: Provenance,
  mostLive: number | undefined,
  demandSeal: string | null = null,
): Prisma.Sql {
  const { operation, subjectUserId } = challenge
  const bucket = bucketOf(subjectUserId)
  return Prisma.sql`/* step-ups.open */
    WITH standing AS (
      INSERT INTO subject_standings (
        bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version
      )
      SELECT ${bucket}::integer, ${subjectUserId}, 0, 0, '{}', 0
      WHERE NOT EXISTS (
        SELECT FROM subject_standings WHERE subject_user_id = ${subjectUserId} AND bucket = ${bucket}::integer
      )
      ON CONFLICT DO NOTHING
      RETURNING subject_user_id
    ), challenge AS (
      INSERT INTO challenges (
        bucket, id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
        attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint, demand_seal
      )
      SELECT
        ${bucket}::integer, ${challenge.id}::uuid, client_id, subject, ${operation.type}, ${operation.digest},
        ${JSON.stringify(operation.summary)}::jsonb, 'pending', ${challenge.attemptsRemaining}::smallint, 0,
        created_at, ${challenge.expiresAt}::timestamptz,
        ${idempotency.key}, ${idempotency.fingerprint}, ${demandSeal}
      FROM (
        VALUES (
          ${subjectUserId}, ${challenge.clientId}, ${challenge.createdAt}::timestamptz, ${mostLive ?? null}::integer
        )
      ) AS demand (subject, client_id, created_at, most_live), (SELECT count(*) FROM standing) AS first
      WHERE most_live IS NULL OR has_room_for_challenge(subject, client_id, created_at, most_live, true)
      ON CONFLICT (client_id, idempotency_key) DO NOTHING
      RETURNING id
    ), trail AS (${insertEvents('challenge', [event], provenance)})
    SELECT id FROM challenge`
}

export const IDENTIFIED = Prisma.raw(`${CHALLENGE_COLUMNS}, c.request_fingerprint AS c_request_fingerprint`)

export function findByIdempotencyKey(clientId: string, key: string): Prisma.Sql {
  return Prisma.sql`/* step-ups.find-by-idempotency-key */
    SELECT ${IDENTIFIED}
    FROM challenges c
    WHERE c.client_id = ${clientId} AND c.idempotency_key = ${key}`
}

/** The same on the server of the subject. */
export function findInBucketByIdempotencyKey(
  subjectUserId: string,
  clientId: string,
  key: string,
): Prisma.Sql {
  return Prisma.sql`/* step-ups.find-in-bucket-by-idempotency-key */
    SELECT ${IDENTIFIED}
    FROM challenges c
    WHERE c.bucket = ${bucketOf(subjectUserId)}::integer AND c.client_id = ${clientId} AND c.idempotency_key = ${key}`
}

/** Users who can leave an event at one challenge. More would fill the trail, and tell nothing new. */
const MOST_STRANGERS = 10

/**
 * Returns one row. Returns none if this user left an event before, or if enough others did. Reads nothing of the challenge, so the row has
 * the bucket that the id carries.
 */
export function recordStranger(event: StrangerEvent, provenance: Provenance): Prisma.Sql {
  const { challengeId, subjectUserId: userId, at } = event
  const bucket = bucketInId(challengeId)
  return Prisma.sql`/* step-ups.record-stranger */
    WITH challenge AS (
      INSERT INTO challenge_strangers (bucket, challenge_id, user_id, seen_at)
      SELECT ${bucket}::integer, id, user_id, at
      FROM (VALUES (${challengeId}::uuid, ${userId}, ${at}::timestamptz)) AS stranger (id, user_id, at)
      WHERE (
        SELECT count(*) FROM challenge_strangers s WHERE s.challenge_id = stranger.id AND s.bucket = ${bucket}::integer
      ) < ${MOST_STRANGERS}::integer
      ON CONFLICT DO NOTHING
      RETURNING challenge_id
    ), trail AS (${insertEvents('challenge', [event], provenance)})
    SELECT challenge_id FROM challenge`
}

/** The same on the server of the challenge, without the event. */
export function noteStranger({ challengeId, subjectUserId: userId, at }: StrangerEvent): Prisma.Sql {
  return Prisma.sql`/* step-ups.note-stranger */
    SELECT note_stranger(${bucketInId(challengeId)}::integer, ${JSON.stringify({ challenge_id: challengeId, user_id: userId, seen_at: at, most: MOST_STRANGERS })}::json) AS stored`
}

/** The event of a stranger belongs to the chain of that user, so it is on another server than the challenge. */
export function insertStrangerEvent(
  event: StrangerEvent,
  { actor, requestId, remoteAddress }: Provenance,
): Prisma.Sql {
  const { bucket, type, at, subjectUserId, challengeId, details } = columnsOf(event)
  return Prisma.sql`/* step-ups.record-stranger */
    INSERT INTO challenge_events (
      bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
    )
    VALUES (
      ${bucket}::integer, ${challengeId}::uuid, ${subjectUserId}, ${type}, ${at}::timestamptz, ${actor}, ${requestId ?? null},
      ${remoteAddress ?? null}, ${JSON.stringify(details)}::jsonb
    )`
}

/** When the first live challenge of the subject at the client expires. */
export function findFirstExpiry({ subjectUserId, clientId, createdAt }: PendingChallenge): Prisma.Sql {
  return Prisma.sql`/* step-ups.find-first-expiry */
    SELECT min(expires_at) AS at
    FROM challenges
    WHERE subject_user_id = ${subjectUserId} AND bucket = ${bucketOf(subjectUserId)}::integer
      AND client_id = ${clientId}
      AND status IN ('pending', 'verified') AND expires_at > ${createdAt}::timestamptz`
}

/** The columns that depend on the status of a challenge. */
export function endOf(challenge: Challenge) {
  const none = { verifiedAt: null, consumedAt: null, consumedBy: null, exhaustedAt: null, cancelledAt: null }
  switch (challenge.status) {
    case 'pending':
      return none
    case 'verified':
      return { ...none, verifiedAt: challenge.verifiedAt }
    case 'consumed': {
      const { verifiedAt, consumedAt, consumedBy } = challenge
      return { ...none, verifiedAt, consumedAt, consumedBy }
    }
    case 'exhausted':
      return { ...none, exhaustedAt: challenge.exhaustedAt }
    case 'cancelled':
      return { ...none, cancelledAt: challenge.cancelledAt }
  }
}
