import { bucketInId } from '../../../domain/bucket.ts'
import type { Statements } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'
import type { Mails } from '../lease.ts'
import type { NewIssuances } from './new-issuances.ts'

/** The place of a row. */
export interface Place {
  readonly bucket: number
  readonly id: string
}

/**
 * A search reads all shards, so it is rare where a process knows its own mails. It finds what no process claimed at once: after a failed
 * attempt, or the end of a process.
 */
const SEARCH_EVERY_MS = 2000

/** One mail that is to be leased. */
export interface Claiming {
  readonly place: Place
  readonly now: Date
  readonly leaseEnd: Date
}

interface Claimable<Row> {
  readonly table: Mails
  /** Leases the mail of one row, if it is due. */
  readonly claimOne: (claiming: Claiming) => Promise<readonly Row[]>
  /** Without them, each claim searches. */
  readonly fresh?: NewIssuances | undefined
}

/**
 * Claims due mails of a table that is spread over several servers. Each claim is one statement on the server of its row, and holds only
 * if the row is still due. So two processes that found the same row do not both get it.
 */
export class ShardedClaims<Row extends object> {
  readonly #statements: Pick<Statements, 'query'>
  readonly #claimable: Claimable<Row>
  #searchAt = 0

  constructor(statements: Pick<Statements, 'query'>, claimable: Claimable<Row>) {
    this.#statements = statements
    this.#claimable = claimable
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly Row[]> {
    const places = await this.#candidates(limit, now)
    const claimed = await Promise.all(
      places.map((place) => this.#claimable.claimOne({ place, now, leaseEnd })),
    )
    return claimed.flat()
  }

  async #candidates(limit: number, now: Date): Promise<readonly Place[]> {
    const { table, fresh } = this.#claimable
    const issued = (fresh?.take(limit) ?? []).map((id) => ({ bucket: bucketInId(id), id }))
    if (performance.now() < this.#searchAt || issued.length === limit) return issued

    const due = await this.#statements.query<Place>(findDue(table, limit - issued.length, now))
    // Where so many wait, there may be more.
    if (fresh && issued.length + due.length < limit) this.#searchAt = performance.now() + SEARCH_EVERY_MS
    const known = new Set(issued.map(({ id }) => id))
    return [...issued, ...due.filter(({ id }) => !known.has(id))]
  }
}

function findDue(table: Mails, limit: number, now: Date): Prisma.Sql {
  const [name, mails] = [Prisma.raw(table.replaceAll('_', '-')), Prisma.raw(table)]
  return Prisma.sql`/* ${name}.find-due */
    SELECT bucket, id
    FROM ${mails}
    WHERE status = 'queued' AND next_attempt_at <= ${now}::timestamptz
    ORDER BY next_attempt_at
    LIMIT ${limit}::integer`
}
