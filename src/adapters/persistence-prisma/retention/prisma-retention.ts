import type { Purged, Retention } from '../../../application/ports/retention.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'

/** A purged batch, and the key after which the next one begins. The key is undefined at the end. */
interface Batch<Key> {
  readonly purged: Purged
  readonly next: Key | undefined
}

/**
 * Walks both tables by primary key from the oldest row. Both keys rise with time, so neither table needs another index.
 * Each batch reads a bounded number of rows after the last one. A purge thus reads each row that stays only once.
 */
export class PrismaRetention implements Retention {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async *purge(expiredBefore: Date, limit: number): AsyncGenerator<Purged> {
    const finished = yield* this.#walk('00000000-0000-0000-0000-000000000000', (transaction, after) =>
      purgeChallenges(transaction, after, expiredBefore, limit),
    )
    if (!finished) return
    yield* this.#walk(0n, (transaction, after) => purgeLooseEvents(transaction, after, expiredBefore, limit))
    yield* this.#walk(true, (transaction) => purgeMailboxes(transaction, limit))
  }

  async oldestExpiry(): Promise<Date | undefined> {
    const oldest = await translateStorageErrors(
      this.#prisma.challenge.findFirst({ orderBy: { id: 'asc' }, select: { expiresAt: true } }),
    )
    return oldest?.expiresAt
  }

  /** True at the end of the table. False if another process is purging: this one leaves the work to it. */
  async *#walk<Key>(
    from: Key,
    purgeBatch: (transaction: Prisma.TransactionClient, after: Key) => Promise<Batch<Key>>,
  ): AsyncGenerator<Purged, boolean> {
    let after: Key | undefined = from
    while (after !== undefined) {
      const position: Key = after
      const batch = await this.#exclusively((transaction) => purgeBatch(transaction, position))
      if (!batch) return false
      yield batch.purged
      after = batch.next
    }
    return true
  }

  /** Runs `work` in a transaction that may delete from the audit trail. Undefined if another process has such a transaction. */
  #exclusively<Result>(work: (transaction: Prisma.TransactionClient) => Promise<Result>) {
    return translateStorageErrors(
      this.#prisma.$transaction(async (transaction) => {
        // An erasure locks issuances too, in another order. If the two wait for each other, the purge gives up first and
        // runs again later: its time-out is shorter than the second after which the server looks for deadlocks.
        const [turn] = await transaction.$queryRaw<{ ours: boolean }[]>`
          SELECT pg_try_advisory_xact_lock(hashtext('countersign.retention')) AS "ours",
            set_config('countersign.retention', 'on', TRUE),
            set_config('lock_timeout', '500ms', TRUE)`
        return turn?.ours ? work(transaction) : undefined
      }),
    )
  }
}

async function purgeChallenges(
  transaction: Prisma.TransactionClient,
  after: string,
  expiredBefore: Date,
  limit: number,
): Promise<Batch<string>> {
  const seen = await transaction.challenge.findMany({
    where: { id: { gt: after, lt: lowestIdAt(expiredBefore) } },
    orderBy: { id: 'asc' },
    take: limit,
    select: { id: true, expiresAt: true },
  })
  const ids = seen.filter(({ expiresAt }) => expiresAt < expiredBefore).map(({ id }) => id)

  // PostgreSQL deletes issuances and lock notices by cascade. Delete events last. A concurrent decision about one of these
  // challenges may commit before the row is deleted: its event is then deleted here. Otherwise it finds no row and stores
  // nothing.
  const challenges = await transaction.challenge.deleteMany({ where: { id: { in: ids } } })
  const events = await transaction.challengeEvent.deleteMany({ where: { challengeId: { in: ids } } })
  return {
    purged: { challenges: challenges.count, events: events.count },
    next: seen.length === limit ? seen.at(-1)?.id : undefined,
  }
}

/**
 * Deletes events of users without a challenge, and late reports about purged challenges. After the challenges are purged,
 * the old end of the trail has little else. So the purge reads from there up to the first batch without an old event.
 * Ids follow time only roughly, because transactions overlap. A later purge finds an old event behind such a batch.
 */
async function purgeLooseEvents(
  transaction: Prisma.TransactionClient,
  after: bigint,
  before: Date,
  limit: number,
): Promise<Batch<bigint>> {
  const seen = await transaction.challengeEvent.findMany({
    where: { id: { gt: after } },
    orderBy: { id: 'asc' },
    take: limit,
    select: { id: true, challengeId: true, occurredAt: true },
  })
  const old = seen.filter(({ occurredAt }) => occurredAt < before)
  const challenges = await transaction.challenge.findMany({
    where: { id: { in: old.flatMap(({ challengeId }) => challengeId ?? []) } },
    select: { id: true },
  })
  const kept = new Set<string | null>(challenges.map(({ id }) => id))
  const ids = old.filter(({ challengeId }) => !kept.has(challengeId)).map(({ id }) => id)

  const { count } = await transaction.challengeEvent.deleteMany({ where: { id: { in: ids } } })
  return {
    purged: { challenges: 0, events: count },
    next: seen.length === limit && old.length > 0 ? seen.at(-1)?.id : undefined,
  }
}

/** Deletes the counts of mailboxes that got no code for a day. They count for an hour. */
async function purgeMailboxes(transaction: Prisma.TransactionClient, limit: number): Promise<Batch<boolean>> {
  const count = await transaction.$executeRaw`
    DELETE FROM mailbox_issuances
    WHERE mailbox IN (
      SELECT mailbox
      FROM mailbox_issuances
      WHERE issued_at[array_upper(issued_at, 1)] < now() - interval '1 day'
      LIMIT ${limit}::integer
      FOR UPDATE SKIP LOCKED
    )`
  return { purged: { challenges: 0, events: 0 }, next: count === limit ? true : undefined }
}

/** The lowest UUIDv7 of that millisecond. The first 48 bits are the time (RFC 9562 §5.7). */
function lowestIdAt(instant: Date): string {
  const time = instant.getTime().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
