import type { AuditTrail, RecordedEvent } from '../../../application/ports/audit-trail.ts'
import { bucketInId, bucketOf } from '../../../domain/bucket.ts'
import { type Sharding, shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { Prisma, PrismaClient } from '../generated/client.ts'
import { eventOf } from './event-row.ts'

/** Reads `challenge_events` in the order of the ids. For one challenge, this is the order of its decisions. */
export class PrismaAuditTrail implements AuditTrail {
  readonly #prisma: PrismaClient
  readonly #sharding: Sharding

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
    this.#sharding = shardingOf(prisma)
  }

  async eventsOf(challengeId: string): Promise<readonly RecordedEvent[]> {
    const rows = await translateStorageErrors(
      this.#sharding === 'citus' ? this.#findInBuckets(challengeId) : this.#find({ challengeId }),
    )
    return rows.map(eventOf)
  }

  #find(where: Prisma.ChallengeEventWhereInput) {
    return this.#prisma.challengeEvent.findMany({ where, orderBy: { id: 'asc' } })
  }

  /** The events are in the bucket of the subject, and those of strangers in theirs. */
  async #findInBuckets(challengeId: string) {
    const bucket = bucketInId(challengeId)
    const strangers = await this.#prisma.challengeStranger.findMany({ where: { bucket, challengeId } })
    const others = strangers.map(({ userId }) => bucketOf(userId)).filter((other) => other !== bucket)
    const rows = await this.#find({
      bucket: others.length === 0 ? bucket : { in: [bucket, ...others] },
      challengeId,
    })
    // An id from before the buckets leads elsewhere. Retention may have deleted the first events: then this only takes longer.
    return rows.some(({ type }) => type === 'challenge-opened') ? rows : this.#find({ challengeId })
  }
}
