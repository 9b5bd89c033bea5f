import type { Provenance } from '../../../application/ports/provenance.ts'
import type { ChallengePlace } from '../../../application/ports/support-search.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import { secondsAfter } from '../../../domain/instant.ts'
import type { Unlocking } from '../../../domain/subject-standing.ts'
import { insertEvents } from '../audit-trail/event-row.ts'
import { Prisma } from '../generated/client.ts'
import { lowestIdAt } from '../identifier-of-time.ts'
import { ISSUANCE_COLUMNS } from '../otp-outbox/issuance-row.ts'
import { insertSecurityNotice } from '../security-notices/security-notice-statements.ts'
import { CHALLENGE_COLUMNS } from '../step-ups/challenge-row.ts'

/* The statements of the support desk. Their text is constant, as in step-up-statements.ts. */

const FOUND = Prisma.raw([CHALLENGE_COLUMNS, ISSUANCE_COLUMNS].join(', '))

/**
 * Ends a lock and returns one row. Returns none if the subject's version has changed. The event and the notice exist only if the lock
 * was ended.
 */
export function saveUnlocking({ standing, notice, event }: Unlocking, provenance: Provenance): Prisma.Sql {
  const ended = Prisma.sql`standing AS (
      UPDATE subject_standings
      SET locked_until = NULL, version = version + 1
      WHERE subject_user_id = ${standing.subjectUserId} AND bucket = ${bucketOf(standing.subjectUserId)}::integer
        AND version = ${standing.version}::integer
      RETURNING subject_user_id
    ), trail AS (${insertEvents('standing', [event], provenance)})`
  return notice
    ? Prisma.sql`/* standings.unlock-with-security-notice */
    WITH ${ended}, notice AS (${insertSecurityNotice('standing', notice)})
    SELECT subject_user_id FROM standing`
    : Prisma.sql`/* standings.unlock */
    WITH ${ended}
    SELECT subject_user_id FROM standing`
}

/**
 * A page of the challenges of a subject. The index on subject and deadline finds and orders them, so the id only decides between
 * equal deadlines.
 */
export function findChallengesOf(
  subjectUserId: string,
  clientId: string | undefined,
  after: ChallengePlace | undefined,
  limit: number,
): Prisma.Sql {
  const bucket = bucketOf(subjectUserId)
  return Prisma.sql`/* support.challenges-of-subject */
    SELECT ${FOUND}
    FROM (
      SELECT *
      FROM challenges
      WHERE subject_user_id = ${subjectUserId}
        AND bucket = ${bucket}::integer
        AND client_id = coalesce(${clientId ?? null}::text, client_id)
        AND (expires_at, id) < (
          coalesce(${after?.expiresAt ?? null}::timestamptz, 'infinity'),
          coalesce(${after?.id ?? null}::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        )
      ORDER BY expires_at DESC, id DESC
      LIMIT ${limit}::integer
    ) AS c
    LEFT JOIN otp_issuances i ON i.challenge_id = c.id AND i.number = c.issuance_count AND i.bucket = ${bucket}::integer
    ORDER BY c.expires_at DESC, c.id DESC`
}

/** A code, with what its mark follows from. */
export interface MarkedRow {
  readonly id: string
  readonly challenge_id: string
  readonly subject_user_id: string
  readonly number: number
}

/** The ids lead to the time, so no index on it is needed. A process may take the id a moment before or after the time. */
const ID_SLACK_IN_SECONDS = 60

/** The codes of some minutes. */
export function findCodesIssued(from: Date, until: Date): Prisma.Sql {
  return Prisma.sql`/* support.codes-issued */
    SELECT id, challenge_id, subject_user_id, number
    FROM otp_issuances
    WHERE id >= ${lowestIdAt(secondsAfter(from, -ID_SLACK_IN_SECONDS))}::uuid
      AND id < ${lowestIdAt(secondsAfter(until, ID_SLACK_IN_SECONDS))}::uuid
      AND issued_at >= ${from}::timestamptz AND issued_at < ${until}::timestamptz`
}

export function findChallengesOfCodes(issuanceIds: readonly string[]): Prisma.Sql {
  return Prisma.sql`/* support.challenges-of-codes */
    SELECT ${FOUND}
    FROM otp_issuances i
    JOIN challenges c ON c.id = i.challenge_id AND c.bucket = i.bucket
    WHERE i.id = ANY (${issuanceIds}::uuid[])
    ORDER BY i.issued_at DESC, i.id DESC`
}

/** The second condition of the second part lets PostgreSQL use the partial index. */
export function findSubjectsOfMailbox(hash: string): Prisma.Sql {
  return Prisma.sql`/* support.subjects-of-mailbox */
    SELECT user_id FROM users WHERE sha256(lower(email COLLATE "C")::bytea) = decode(${hash}, 'hex')
    UNION
    SELECT subject_user_id
    FROM subject_standings
    WHERE sha256(lower(suppressed_address COLLATE "C")::bytea) = decode(${hash}, 'hex')
      AND suppressed_address IS NOT NULL
    ORDER BY user_id`
}
