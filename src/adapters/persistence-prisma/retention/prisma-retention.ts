import type { Purged, Retention } from '../../../application/ports/retention.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'

/** A batch, and the key to go on behind; undefined when there is nothing more to look at. */
interface Batch<Key> {
  readonly purged: Purged
  readonly next: Key | undefined
}

/**
 * Walks along the primary keys from the oldest row, since both rise with time: neither table needs another index. Each batch
 * looks at a bounded number of rows behind the last one it saw, so rows that stay are passed once a purge, and hold up none.
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
  }

  async oldestExpiry(): Promise<Date | undefined> {
    const oldest = await translateStorageErrors(
      this.#prisma.challenge.findFirst({ orderBy: { id: 'asc' }, select: { expiresAt: true } }),
    )
    return oldest?.expiresAt
  }

  /** True at the end of the table; false if another process is at work, which is then left to it. */
  async *#walk<Key>(
    from: Key,
    purgeBatch: (transaction: Prisma.TransactionClient, after: Key) => Promise<Batch<Key>>,
  ): AsyncGenerator<Purged, boolean> {
    let after: Key | undefined = from
    while (after !== undefined) {
      const position: Key = after
      const batch = await this.#alone((transaction) => purgeBatch(transaction, position))
      if (!batch) return false
      yield batch.purged
      after = batch.next
    }
    return true
  }

  /** Runs `work` in a transaction that may delete from the audit trail, unless another process has one: then undefined. */
  #alone<Result>(work: (transaction: Prisma.TransactionClient) => Promise<Result>) {
    return translateStorageErrors(
      this.#prisma.$transaction(async (transaction) => {
        // Whoever erases a user locks issuances too, in an order of its own. Should the two wait for each other, it is
        // the purge that gives up and is tried again later: the server looks for deadlocks after a second only.
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

  // Issuances and lock notices go by cascade. Events go last: a decision under way about one of these challenges was stored before its row
  // could be deleted, so its event is seen here, or finds no row to be stored upon.
  const challenges = await transaction.challenge.deleteMany({ where: { id: { in: ids } } })
  const events = await transaction.challengeEvent.deleteMany({ where: { challengeId: { in: ids } } })
  return {
    purged: { challenges: challenges.count, events: events.count },
    next: seen.length === limit ? seen.at(-1)?.id : undefined,
  }
}

/**
 * What happened to users and to no challenge, or was reported late of one that is gone. Once the challenges are purged, little
 * else is left at the old end of the trail, so it is read from there up to a batch that has nothing old in it. Ids
 * follow the time only roughly, since transactions overlap; an old event behind such a batch is found by a later purge.
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

/** No UUIDv7 of that millisecond or later is lower: the time is its first 48 bits (RFC 9562 §5.7). */
function lowestIdAt(instant: Date): string {
  const time = instant.getTime().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
