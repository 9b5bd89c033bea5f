import { Prisma } from './generated/client.ts'

/**
 * The part of a statement that takes up to `limit` due rows of a table of mails, longest due first and past those that
 * somebody else is taking, counts the attempt, and keeps them from others until `leaseEnd`. They are `alias` to the rest of it.
 */
export function leased(
  table: 'lock_notices' | 'otp_issuances',
  alias: string,
  limit: number,
  now: Date,
  leaseEnd: Date,
): Prisma.Sql {
  const [mails, taken] = [Prisma.raw(table), Prisma.raw(alias)]
  return Prisma.sql`due AS (
      SELECT id
      FROM ${mails}
      WHERE status = 'queued' AND next_attempt_at <= ${now}::timestamptz
      ORDER BY next_attempt_at
      LIMIT ${limit}::integer
      FOR UPDATE SKIP LOCKED
    ), ${taken} AS (
      UPDATE ${mails}
      SET next_attempt_at = ${leaseEnd}::timestamptz, delivery_attempts = delivery_attempts + 1
      FROM due
      WHERE ${mails}.id = due.id
      RETURNING ${mails}.*
    )`
}
