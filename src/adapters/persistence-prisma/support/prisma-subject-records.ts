import type { StoredRow, SubjectRecords } from '../../../application/ports/subject-records.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import { Prisma, type PrismaClient } from '../generated/client.ts'

/** The rows of a table that are about a user. `$1` is the id of the user. */
type RowsAbout = (userId: string) => Prisma.Sql

const OWN_CHALLENGES = (userId: string) =>
  Prisma.sql`SELECT id FROM challenges WHERE subject_user_id = ${userId}`

/**
 * Every table that can have a row about a person, and how such rows are found. A test looks for others. Events come along the chain of
 * the user, and those from before the chains by an index of their own.
 */
const TABLES: Readonly<Record<string, RowsAbout>> = {
  users: (userId) => Prisma.sql`SELECT * FROM users WHERE user_id = ${userId}`,
  subject_standings: (userId) =>
    Prisma.sql`SELECT * FROM subject_standings WHERE subject_user_id = ${userId}`,
  challenges: (userId) =>
    Prisma.sql`SELECT * FROM challenges WHERE subject_user_id = ${userId} ORDER BY expires_at, id`,
  otp_issuances: (userId) => Prisma.sql`
    SELECT * FROM otp_issuances WHERE challenge_id IN (${OWN_CHALLENGES(userId)}) ORDER BY issued_at, id`,
  lock_notices: (userId) => Prisma.sql`
    SELECT * FROM lock_notices WHERE challenge_id IN (${OWN_CHALLENGES(userId)}) ORDER BY locked_at, id`,
  security_notices: (userId) =>
    Prisma.sql`SELECT * FROM security_notices WHERE subject_user_id = ${userId} ORDER BY happened_at, id`,
  challenge_strangers: (userId) =>
    Prisma.sql`SELECT * FROM challenge_strangers WHERE user_id = ${userId} ORDER BY seen_at, challenge_id`,
  mailbox_issuances: (userId) => Prisma.sql`
    SELECT *
    FROM mailbox_issuances
    WHERE mailbox IN (
      SELECT sha256(lower(address COLLATE "C")::bytea)
      FROM (
        SELECT email AS address FROM users WHERE user_id = ${userId}
        UNION
        SELECT recipient FROM otp_issuances WHERE challenge_id IN (${OWN_CHALLENGES(userId)})
      ) AS known
    )`,
  challenge_events: (userId) => Prisma.sql`
    WITH RECURSIVE chain (id, previous_id) AS (
      SELECT e.id, e.previous_id
      FROM trail_heads h
      JOIN challenge_events e ON e.id = h.event_id
      WHERE h.subject_user_id = ${userId}
      UNION
      SELECT e.id, e.previous_id FROM chain JOIN challenge_events e ON e.id = chain.previous_id
    )
    SELECT e.*
    FROM challenge_events e
    WHERE e.subject_user_id = ${userId}
      AND e.id IN (
        SELECT id FROM chain
        UNION
        SELECT id FROM challenge_events WHERE subject_user_id = ${userId} AND position IS NULL
        UNION
        SELECT id FROM challenge_events WHERE challenge_id IN (${OWN_CHALLENGES(userId)})
      )
    ORDER BY e.id`,
  trail_heads: (userId) => Prisma.sql`SELECT * FROM trail_heads WHERE subject_user_id = ${userId}`,
  service_events: (userId) => Prisma.sql`
    SELECT * FROM service_events WHERE challenge_id IN (${OWN_CHALLENGES(userId)}) ORDER BY event_id`,
  challenge_expiries: (userId) => Prisma.sql`
    SELECT * FROM challenge_expiries WHERE challenge_id IN (${OWN_CHALLENGES(userId)}) ORDER BY expires_at`,
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
          const tables: Record<string, readonly StoredRow[]> = {}
          for (const [table, rowsAbout] of Object.entries(TABLES)) {
            const rows = await transaction.$queryRaw<{ readonly row: StoredRow }[]>`
              SELECT to_jsonb(about) - ${INTERNAL}::text[] AS row FROM (${rowsAbout(subjectUserId)}) AS about`
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
