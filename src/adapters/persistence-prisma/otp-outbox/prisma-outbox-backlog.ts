import type { Backlog, OutboxBacklog } from '../../../contracts/outbox-backlog.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'

/** Reads only the index of queued rows, which has no rows but those that wait. */
export class PrismaOutboxBacklog implements OutboxBacklog {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async measure(now: Date): Promise<Backlog> {
    const [row] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ queued: number; oldest_due_at: Date | null }[]>`/* outbox-backlog.measure */
        SELECT count(*)::integer AS queued,
          min(next_attempt_at) FILTER (WHERE next_attempt_at <= ${now}::timestamptz) AS oldest_due_at
        FROM otp_issuances
        WHERE status = 'queued'`,
    )
    return { queued: row!.queued, oldestDueAt: row!.oldest_due_at ?? undefined }
  }
}
