import type { ChallengeExpiries } from '../../../application/ports/challenge-expiries.ts'
import { announce, type CommitListener } from '../../../application/ports/commit-listener.ts'
import { Challenge } from '../../../domain/challenge.ts'
import type { ChallengeEvent } from '../../../domain/domain-event.ts'
import { appendEvents } from '../audit-trail/event-row.ts'
import { type Sharding, shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'
import { BY_SERVICE } from '../lock-notices/lock-notice-statements.ts'
import type { PlacedId } from '../placed-id.ts'

/** Takes the rows of `challenge_expiries`, which a trigger adds when a challenge is opened. */
export class PrismaChallengeExpiries implements ChallengeExpiries {
  readonly #prisma: PrismaClient
  readonly #committed: CommitListener
  readonly #sharding: Sharding

  constructor(prisma: PrismaClient, committed: CommitListener = () => {}) {
    this.#prisma = prisma
    this.#committed = committed
    this.#sharding = shardingOf(prisma)
  }

  async take(before: Date, limit: number): Promise<number> {
    const next = await translateStorageErrors(
      this.#prisma.challengeExpiry.findFirst({
        where: { expiresAt: { lt: before } },
        select: { challengeId: true },
      }),
    )
    if (!next) return 0
    if (this.#sharding === 'citus') return this.#takeOneByOne(before, limit)

    const { taken, events } = await translateStorageErrors(
      this.#prisma.$transaction(async (transaction) => {
        const due = await takeDue(transaction, before, limit)
        const expired = await expire(transaction, due)
        await appendEvents(transaction, expired, BY_SERVICE)
        return { taken: due.length, events: expired }
      }),
    )
    announce(this.#committed, { events, provenance: BY_SERVICE })
    return taken
  }

  /** Nobody locks rows of several servers in one statement, so each end is a transaction of its own on the server of its subject. */
  async #takeOneByOne(before: Date, limit: number): Promise<number> {
    const due = await translateStorageErrors(
      this.#prisma.challengeExpiry.findMany({
        where: { expiresAt: { lt: before } },
        orderBy: { expiresAt: 'asc' },
        take: limit,
        select: { bucket: true, challengeId: true },
      }),
    )
    let taken = 0
    for (const place of due) {
      const { count, events } = await translateStorageErrors(
        this.#prisma.$transaction(async (transaction) => {
          const { count } = await transaction.challengeExpiry.deleteMany({ where: place })
          const expired = count > 0 ? await expireAt(transaction, place) : []
          await appendEvents(transaction, expired, BY_SERVICE)
          return { count, events: expired }
        }),
      )
      taken += count
      announce(this.#committed, { events, provenance: BY_SERVICE })
    }
    return taken
  }
}

/** Nobody waits for the row of an end. What another process is taking is not taken here. */
async function takeDue(
  transaction: Prisma.TransactionClient,
  before: Date,
  limit: number,
): Promise<PlacedId[]> {
  return transaction.$queryRaw<(PlacedId & { readonly set_config: string })[]>`
    DELETE FROM challenge_expiries x
    USING (
      SELECT challenge_id, bucket
      FROM challenge_expiries
      WHERE expires_at < ${before}::timestamptz
      ORDER BY expires_at
      LIMIT ${limit}::integer
      FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE x.challenge_id = due.challenge_id AND x.bucket = due.bucket
    RETURNING x.challenge_id AS id, x.bucket, set_config('lock_timeout', '500ms', TRUE)`
}

/**
 * Moves the version of each subject on, like every decision about a subject. So it waits for one that is being stored, and one that is
 * being made is made again. Only then does it read the challenges, with another statement.
 */
async function expire(
  transaction: Prisma.TransactionClient,
  due: readonly PlacedId[],
): Promise<ChallengeEvent[]> {
  const ids = due.map(({ id }) => id)
  const buckets = due.map(({ bucket }) => bucket)
  await transaction.$executeRaw`
    UPDATE subject_standings s
    SET version = version + 1
    FROM (
      SELECT subject_user_id, bucket
      FROM subject_standings
      WHERE (subject_user_id, bucket) IN (
        SELECT c.subject_user_id, c.bucket
        FROM unnest(${ids}::uuid[], ${buckets}::integer[]) AS m (id, bucket)
        JOIN challenges c ON c.id = m.id AND c.bucket = m.bucket AND c.status IN ('pending', 'verified')
      )
      ORDER BY subject_user_id COLLATE "C"
      FOR NO KEY UPDATE
    ) AS held
    WHERE s.subject_user_id = held.subject_user_id AND s.bucket = held.bucket`
  const expired = await transaction.challenge.findMany({
    where: { id: { in: ids }, bucket: { in: buckets }, status: { in: ['pending', 'verified'] } },
    orderBy: { expiresAt: 'asc' },
    select: { id: true, subjectUserId: true, expiresAt: true },
  })
  return expired.map(Challenge.expire)
}

/** The same for one challenge, on the server of its subject. */
async function expireAt(
  transaction: Prisma.TransactionClient,
  { bucket, challengeId: id }: { readonly bucket: number; readonly challengeId: string },
): Promise<ChallengeEvent[]> {
  const live = {
    where: { bucket, id, status: { in: ['pending', 'verified'] } },
    select: { id: true, subjectUserId: true, expiresAt: true },
  }
  const [known] = await transaction.challenge.findMany(live)
  if (!known) return []
  await transaction.subjectStanding.updateMany({
    where: { bucket, subjectUserId: known.subjectUserId },
    data: { version: { increment: 1 } },
  })
  const expired = await transaction.challenge.findMany(live)
  return expired.map(Challenge.expire)
}
