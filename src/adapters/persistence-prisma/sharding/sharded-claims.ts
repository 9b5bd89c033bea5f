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
/** Searches of one claim. Rows that somebody has locked are found each time. */
const MOST_SEARCHES = 8
/** A search finds more than one claim asks for, so that the next claims need none. */
const PLACES_AT_LEAST = 64

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
 * if the row is still due. So two processes that found the same row do not both get it. The one that got fewer goes on with what else was
 * found, and searches again for as long as a search finds as much as it asked for.
 */
export class ShardedClaims<Row extends object> {
  readonly #statements: Pick<Statements, 'query'>
  readonly #claimable: Claimable<Row>
  /** What a search found and no claim has taken, until it is old. */
  #found: Place[] = []
  #foundUntil = 0
  #searchAt = 0

  constructor(statements: Pick<Statements, 'query'>, claimable: Claimable<Row>) {
    this.#statements = statements
    this.#claimable = claimable
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly Row[]> {
    const { fresh } = this.#claimable
    const own = (fresh?.take(limit) ?? []).map((id) => ({ bucket: bucketInId(id), id }))
    if (!fresh || performance.now() >= this.#foundUntil) this.#found = []
    const claimed: Row[] = []
    try {
      await this.#lease(own, claimed, now, leaseEnd)
      let mayBeMore = true
      for (let searches = 0; claimed.length < limit; ) {
        if (this.#found.length === 0) {
          if (!mayBeMore || searches++ === MOST_SEARCHES || performance.now() < this.#searchAt) break
          mayBeMore = await this.#search(limit - claimed.length, now)
        }
        await this.#lease(this.#found.splice(0, limit - claimed.length), claimed, now, leaseEnd)
      }
    } catch (error) {
      // What is leased has to be sent now: nobody else can before the lease ends. What failed is still due, and a search finds it.
      if (claimed.length === 0) throw error
    }
    return claimed
  }

  /** Returns whether there may be more than it found. */
  async #search(room: number, now: Date): Promise<boolean> {
    const { table, fresh } = this.#claimable
    const most = Math.max(room, PLACES_AT_LEAST)
    this.#found = await this.#statements.query<Place>(findDue(table, most, now))
    this.#foundUntil = performance.now() + SEARCH_EVERY_MS
    const mayBeMore = this.#found.length === most
    if (fresh && !mayBeMore) this.#searchAt = this.#foundUntil
    return mayBeMore
  }

  /** Adds the rows that it leased, also if it throws. */
  async #lease(places: readonly Place[], claimed: Row[], now: Date, leaseEnd: Date): Promise<void> {
    const leases = await Promise.allSettled(
      places.map((place) => this.#claimable.claimOne({ place, now, leaseEnd })),
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
