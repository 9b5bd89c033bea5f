import { Prisma } from './generated/client.ts'

/** The tables whose queued rows are mails. */
export type Mails = 'lock_notices' | 'otp_issuances' | 'security_notices'

/**
 * The part of a statement that leases up to `limit` due mails until `leaseEnd` and counts the attempt. It takes the oldest
 * due mails first and skips those that another process is claiming. The rest of the statement reads them as `alias`.
 */
export function leased(table: Mails, alias: string, limit: number, now: Date, leaseEnd: Date): Prisma.Sql {
  const [mails, taken] = [Prisma.raw(table), Prisma.raw(alias)]
  return Prisma.sql`due AS (
      SELECT id, bucket
      FROM ${mails}
      WHERE status = 'queued' AND next_attempt_at <= ${now}::timestamptz
      ORDER BY next_attempt_at
      LIMIT ${limit}::integer
      FOR UPDATE SKIP LOCKED
    ), ${taken} AS (
      UPDATE ${mails}
      SET next_attempt_at = ${leaseEnd}::timestamptz, delivery_attempts = delivery_attempts + 1
      FROM due
      WHERE ${mails}.id = due.id AND ${mails}.bucket = due.bucket
      RETURNING ${mails}.*
    )`
}

/** The same for one mail, if it is due. */
export function leasedAt(
  table: Mails,
  alias: string,
  { bucket, id }: { readonly bucket: number; readonly id: string },
  now: Date,
  leaseEnd: Date,
): Prisma.Sql {
  return Prisma.sql`${Prisma.raw(alias)} AS (
      UPDATE ${Prisma.raw(table)}
      SET next_attempt_at = ${leaseEnd}::timestamptz, delivery_attempts = delivery_attempts + 1
      WHERE bucket = ${bucket}::integer AND id = ${id}::uuid
        AND status = 'queued' AND next_attempt_at <= ${now}::timestamptz
      RETURNING *
    )`
}
