import type { StoredRow, SubjectRecords } from '../../../application/ports/subject-records.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import { shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import { Prisma, type PrismaClient } from '../generated/client.ts'

/** The rows of a table that are about a user, in the bucket of the user. */
type RowsAbout = (userId: string, bucket: number) => Prisma.Sql

const OWN_CHALLENGES = (userId: string, bucket: number) =>
  Prisma.sql`SELECT id FROM challenges WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer`

/**
 * Every table that can have a row about a person, and how such rows are found. A test looks for others. Events come along the chain of
 * the user, and those from before the chains by an index of their own. A stranger left rows in the buckets of others.
 */
const TABLES: Readonly<Record<string, RowsAbout>> = {
  users: (userId, bucket) =>
    Prisma.sql`SELECT * FROM users WHERE user_id = ${userId} AND bucket = ${bucket}::integer`,
  subject_standings: (userId, bucket) => Prisma.sql`
    SELECT * FROM subject_standings WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer`,
  challenges: (userId, bucket) => Prisma.sql`
    SELECT * FROM challenges WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer ORDER BY expires_at, id`,
  otp_issuances: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM otp_issuances
    WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
    ORDER BY issued_at, id`,
  lock_notices: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM lock_notices
    WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
    ORDER BY locked_at, id`,
  security_notices: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM security_notices
    WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer
    ORDER BY happened_at, id`,
  challenge_strangers: (userId) =>
    Prisma.sql`SELECT * FROM challenge_strangers WHERE user_id = ${userId} ORDER BY seen_at, challenge_id`,
  mailbox_issuances: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM mailbox_issuances
    WHERE mailbox IN (
      SELECT sha256(lower(address COLLATE "C")::bytea)
      FROM (
        SELECT email AS address FROM users WHERE user_id = ${userId} AND bucket = ${bucket}::integer
        UNION
        SELECT recipient
        FROM otp_issuances
        WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
      ) AS known
    )`,
  challenge_events: (userId, bucket) => Prisma.sql`
    WITH RECURSIVE chain (id, previous_id) AS (
      SELECT e.id, e.previous_id
      FROM trail_heads h
      JOIN challenge_events e ON e.id = h.event_id AND e.bucket = h.bucket
      WHERE h.subject_user_id = ${userId} AND h.bucket = ${bucket}::integer
      UNION
      SELECT e.id, e.previous_id
      FROM chain
      JOIN challenge_events e ON e.id = chain.previous_id AND e.bucket = ${bucket}::integer
    )
    SELECT e.*
    FROM challenge_events e
    WHERE e.subject_user_id = ${userId}
      AND e.bucket = ${bucket}::integer
      AND e.id IN (
        SELECT id FROM chain
        UNION
        SELECT id
        FROM challenge_events
        WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer AND position IS NULL
        UNION
        SELECT id
        FROM challenge_events
        WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
      )
    ORDER BY e.id`,
  trail_heads: (userId, bucket) =>
    Prisma.sql`SELECT * FROM trail_heads WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer`,
  service_events: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM service_events
    WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
    ORDER BY event_id`,
  challenge_expiries: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM challenge_expiries
    WHERE challenge_id IN (${OWN_CHALLENGES(userId, bucket)}) AND bucket = ${bucket}::integer
    ORDER BY expires_at`,
}

/** Citus keeps the keys of clients in a table of their own. Each leads to a challenge by the client and its key. */
const SHARDED_TABLES: typeof TABLES = {
  ...TABLES,
  idempotency_keys: (userId, bucket) => Prisma.sql`
    SELECT *
    FROM idempotency_keys
    WHERE place IN (
      SELECT client_id || chr(31) || idempotency_key
      FROM challenges
      WHERE subject_user_id = ${userId} AND bucket = ${bucket}::integer
    )
    ORDER BY challenge_id`,
}

/** They prove that the service wrote a row, or lead to it, and say nothing about a person. */
const INTERNAL = ['demand_seal', 'approval_seal', 'consumption_seal', 'seal', 'bucket']

/** A user may have many thousand events. */
const TRANSACTION_TIMEOUT_IN_MS = 60_000

/** Reads the rows of all tables about a user, as of one instant. */
export class PrismaSubjectRecords implements SubjectRecords {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async rowsAbout(subjectUserId: string): Promise<Readonly<Record<string, readonly StoredRow[]>>> {
    return translateStorageErrors(
      this.#prisma.$transaction(
        async (transaction) => {
          const all = shardingOf(this.#prisma) === 'citus' ? SHARDED_TABLES : TABLES
          const tables: Record<string, readonly StoredRow[]> = {}
          for (const [table, rowsAbout] of Object.entries(all)) {
            const rows = await transaction.$queryRaw<{ readonly row: StoredRow }[]>`
              SELECT to_jsonb(about) - ${INTERNAL}::text[] AS row FROM (${rowsAbout(subjectUserId, bucketOf(subjectUserId))}) AS about`
            tables[table] = rows.map(({ row }) => withoutAgent(row))
          }
          return tables
        },
        {
          isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead,
          timeout: TRANSACTION_TIMEOUT_IN_MS,
        },
      ),
    )
  }
}

/** A person may know what was done about them, and not which employee did it. */
function withoutAgent(row: StoredRow): StoredRow {
  return typeof row.actor === 'string' && row.actor.startsWith('agent:') ? { ...row, actor: 'agent' } : row
}
