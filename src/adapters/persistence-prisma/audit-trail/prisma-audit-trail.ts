import type { AuditTrail, RecordedEvent } from '../../../application/ports/audit-trail.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import type { PrismaClient } from '../generated/client.ts'
import { eventOf } from './event-row.ts'

/** Reads `challenge_events` in the order of the ids. For one challenge, this is the order of its decisions. */
export class PrismaAuditTrail implements AuditTrail {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async eventsOf(challengeId: string): Promise<readonly RecordedEvent[]> {
    const rows = await translateStorageErrors(
      this.#prisma.challengeEvent.findMany({ where: { challengeId }, orderBy: { id: 'asc' } }),
    )
    return rows.map(eventOf)
  }
}
