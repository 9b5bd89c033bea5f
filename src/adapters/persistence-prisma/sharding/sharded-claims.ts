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

interface Claiming {
  readonly table: Mails
  /** The statement that leases the mail of one row, if it is due. */
  readonly claimOne: (place: Place, now: Date, leaseEnd: Date) => Prisma.Sql
  /** Without them, each claim searches. */
  readonly fresh?: NewIssuances | undefined
}

/**
 * Claims due mails of a table that is spread over several servers. Each claim is one statement on the server of its row, and holds only
 * if the row is still due. So two processes that found the same row do not both get it. The one that got fewer searches again, because
 * others may wait behind those that it lost.
 */
export class ShardedClaims<Row extends object> {
  readonly #statements: Pick<Statements, 'query'>
  readonly #claiming: Claiming
  #searchAt = 0

  constructor(statements: Pick<Statements, 'query'>, claiming: Claiming) {
    this.#statements = statements
    this.#claiming = claiming
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly Row[]> {
    const own = (this.#claiming.fresh?.take(limit) ?? []).map((id) => ({ bucket: bucketInId(id), id }))
    const claimed: Row[] = []
    try {
      await this.#lease(own, claimed, now, leaseEnd)
      if (performance.now() >= this.#searchAt) await this.#search(limit, claimed, now, leaseEnd)
    } catch (error) {
      // What is leased has to be sent now: nobody else can before the lease ends. What failed is still due, and a search finds it.
      if (claimed.length === 0) throw error
    }
    return claimed
  }

  async #search(limit: number, claimed: Row[], now: Date, leaseEnd: Date): Promise<void> {
    const { table, fresh } = this.#claiming
    while (claimed.length < limit) {
      const room = limit - claimed.length
      const due = await this.#statements.query<Place>(findDue(table, room, now))
      await this.#lease(due, claimed, now, leaseEnd)
      // Where so many wait, there may be more.
      if (due.length === room) continue
      if (fresh) this.#searchAt = performance.now() + SEARCH_EVERY_MS
      return
    }
  }

  /** Adds the rows that it leased, also if it throws. */
  async #lease(places: readonly Place[], claimed: Row[], now: Date, leaseEnd: Date): Promise<void> {
    const leases = await Promise.allSettled(
      places.map((place) => this.#statements.query<Row>(this.#claiming.claimOne(place, now, leaseEnd))),
    )
    for (const lease of leases) if (lease.status === 'fulfilled') claimed.push(...lease.value)
    const failed = leases.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
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
