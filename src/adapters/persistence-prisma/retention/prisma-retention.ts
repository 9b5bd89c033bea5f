import type { Purged, Retention } from '../../../application/ports/retention.ts'
import { secondsAfter } from '../../../domain/instant.ts'
import { limitLockWaits } from '../connection/lock-waits.ts'
import { type Sharding, shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'
import { lowestIdAt } from '../identifier-of-time.ts'

/** No challenge lives longer. */
const A_DAY_IN_SECONDS = 86_400

/** A purged batch of challenges, and the id after which the next one begins. The id is undefined at the end. */
interface Batch {
  readonly challenges: number
  readonly next: string | undefined
}

/**
 * Walks both tables by primary key from the oldest row. Both keys rise with time, so neither table needs another index.
 * Each batch reads a bounded number of rows after the last one. A purge thus reads each row that stays only once.
 */
export class PrismaRetention implements Retention {
  readonly #prisma: PrismaClient
  readonly #sharding: Sharding

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
    this.#sharding = shardingOf(prisma)
  }

  async *purge(expiredBefore: Date, limit: number): AsyncGenerator<Purged> {
    let after: string | undefined = '00000000-0000-0000-0000-000000000000'
    while (after !== undefined) {
      const position: string = after
      const batch: Batch | undefined = await this.#exclusively((transaction) =>
        purgeChallenges(transaction, position, expiredBefore, limit),
      )
      if (!batch) return
      yield { challenges: batch.challenges, events: 0 }
      after = batch.next
    }
    if (this.#sharding === 'citus') {
      await this.#exclusively((transaction) => purgeShardedCounts(transaction, expiredBefore))
    } else {
      await this.#exclusively(purgeCounts)
    }
  }

  /** A function of the owner deletes, and checks the age itself: the service has no right to delete an event. */
  async *purgeTrail(keptDays: number, limit: number): AsyncGenerator<Purged> {
    for (;;) {
      // The function for several servers needs a transaction. Prisma begins none for a list of one statement.
      const [batch] = await translateStorageErrors(
        this.#prisma.$transaction(
          (transaction) => transaction.$queryRaw<{ events: number | null }[]>`
            SELECT purge_challenge_events(${keptDays}::integer, ${limit}::integer) AS "events"`,
        ),
      )
      const events = batch?.events ?? 0
      if (events > 0) yield { challenges: 0, events }
      if (events < limit) return
    }
  }

  async oldestExpiry(): Promise<Date | undefined> {
    const oldest = await translateStorageErrors(
      this.#prisma.challenge.findFirst({ orderBy: { id: 'asc' }, select: { expiresAt: true } }),
    )
    return oldest?.expiresAt
  }

  async trailOverdueInSeconds(keptDays: number): Promise<number> {
    const [oldest] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ seconds: number }[]>`
        SELECT extract(epoch FROM now() - coalesce(e.recorded_at, e.occurred_at)
          - make_interval(days => greatest(${keptDays}::integer, r.minimum_days)))::float8 AS "seconds"
        FROM trail_retention r, challenge_events e
        WHERE e.id > r.purged_to
        ORDER BY e.id
        LIMIT 1`,
    )
    return Math.max(0, oldest?.seconds ?? 0)
  }

  /** Runs `work` in a transaction. Undefined if another process has such a transaction: it leaves the purge to that one. */
  #exclusively<Result>(work: (transaction: Prisma.TransactionClient) => Promise<Result>) {
    return translateStorageErrors(
      this.#prisma.$transaction(async (transaction) => {
        // An erasure locks issuances too, in another order. If the two wait for each other, the purge gives up first and
        // runs again later: its time-out is shorter than the second after which the server looks for deadlocks.
        const [turn] = await transaction.$queryRaw<{ ours: boolean }[]>`
          SELECT pg_try_advisory_xact_lock(hashtext('countersign.retention')) AS "ours"`
        if (!turn?.ours) return undefined
        await limitLockWaits(transaction, this.#sharding, '500ms')
        return work(transaction)
      }),
    )
  }
}

/** PostgreSQL deletes issuances and lock notices by cascade. The events of services have no foreign key. */
async function purgeChallenges(
  transaction: Prisma.TransactionClient,
  after: string,
  expiredBefore: Date,
  limit: number,
): Promise<Batch> {
  const seen = await transaction.challenge.findMany({
    where: { id: { gt: after, lt: lowestIdAt(expiredBefore) } },
    orderBy: { id: 'asc' },
    take: limit,
    select: { id: true, expiresAt: true },
  })
  const ids = seen.filter(({ expiresAt }) => expiresAt < expiredBefore).map(({ id }) => id)

  await transaction.serviceEvent.deleteMany({ where: { challengeId: { in: ids } } })
  const { count } = await transaction.challenge.deleteMany({ where: { id: { in: ids } } })
  return { challenges: count, next: seen.length === limit ? seen.at(-1)?.id : undefined }
}

/** Deletes the counts of mailboxes that got no code for a day, and strangers of the day before: no challenge lives longer. */
async function purgeCounts(transaction: Prisma.TransactionClient): Promise<void> {
  await transaction.$executeRaw`
    DELETE FROM mailbox_issuances
    WHERE mailbox IN (
      SELECT mailbox
      FROM mailbox_issuances
      WHERE issued_at[array_upper(issued_at, 1)] < now() - interval '1 day'
      FOR UPDATE SKIP LOCKED
    )`
  await purgeNotices(transaction)
}

/** The same for tables on several servers, where no statement skips locked rows. The keys of clients go with their challenges. */
async function purgeShardedCounts(transaction: Prisma.TransactionClient, expiredBefore: Date): Promise<void> {
  await transaction.$executeRaw`
    DELETE FROM mailbox_issuances WHERE issued_at[array_upper(issued_at, 1)] < now() - interval '1 day'`
  await transaction.$executeRaw`
    DELETE FROM idempotency_keys WHERE challenge_id < ${lowestIdAt(secondsAfter(expiredBefore, -A_DAY_IN_SECONDS))}::uuid`
  await purgeNotices(transaction)
}

async function purgeNotices(transaction: Prisma.TransactionClient): Promise<void> {
  await transaction.$executeRaw`DELETE FROM security_notices WHERE happened_at < now() - interval '2 days'`
  await transaction.$executeRaw`DELETE FROM challenge_strangers WHERE seen_at < now() - interval '2 days'`
}
