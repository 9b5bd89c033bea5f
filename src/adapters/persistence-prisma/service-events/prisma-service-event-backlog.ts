import {
  MOST_COUNTED_EVENTS,
  type ServiceEventBacklog,
  type WaitingEvents,
} from '../../../contracts/service-event-backlog.ts'
import { shardingOf } from '../connection/sharding.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import { Prisma, type PrismaClient } from '../generated/client.ts'

/** Reads the index of events that are not finished. The event that has been due for longest is the first of its endpoint there. */
export class PrismaServiceEventBacklog implements ServiceEventBacklog {
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async measure(now: Date): Promise<WaitingEvents> {
    const oldest = shardingOf(this.#prisma) === 'citus' ? oldestOfServers(now) : oldestOfEndpoints(now)
    const [row] = await translateStorageErrors(
      this.#prisma.$queryRaw<{ waiting: number; oldest_due_at: Date | null; paused: number }[]>`
        /* service-event-backlog.measure */
        SELECT
          (
            SELECT count(*)::integer
            FROM (
              SELECT 1
              FROM webhook_endpoints w
              JOIN service_events s ON s.client_id = w.client_id AND s.finished_at IS NULL AND s.position IS NOT NULL
              WHERE w.url IS NOT NULL
              LIMIT ${MOST_COUNTED_EVENTS}::integer
            ) AS unfinished
          ) AS waiting,
          (${oldest}) AS oldest_due_at,
          (SELECT count(*)::integer FROM webhook_endpoints WHERE paused_at IS NOT NULL) AS paused`,
    )
    const { waiting, oldest_due_at, paused } = row!
    return { waiting, oldestDueAt: oldest_due_at ?? undefined, pausedEndpoints: paused }
  }
}

function oldestOfEndpoints(now: Date): Prisma.Sql {
  return Prisma.sql`
            SELECT min(first.next_attempt_at)
            FROM webhook_endpoints w, LATERAL (
              SELECT s.next_attempt_at
              FROM service_events s
              WHERE s.client_id = w.client_id AND s.finished_at IS NULL AND s.position IS NOT NULL
                AND s.next_attempt_at <= ${now}::timestamptz
              ORDER BY s.next_attempt_at
              LIMIT 1
            ) AS first
            WHERE w.url IS NOT NULL AND w.paused_at IS NULL`
}

/** Each server looks through what is due there: Citus takes no LIMIT for each endpoint. */
function oldestOfServers(now: Date): Prisma.Sql {
  return Prisma.sql`
            SELECT min(s.next_attempt_at)
            FROM service_events s
            JOIN webhook_endpoints w ON w.client_id = s.client_id
            WHERE s.finished_at IS NULL AND s.position IS NOT NULL AND s.next_attempt_at <= ${now}::timestamptz
              AND w.url IS NOT NULL AND w.paused_at IS NULL`
}
