import type { DeliveryRoom, ServiceEventDelivery } from '../../../application/ports/service-events.ts'
import type { ServiceEventOutcome } from '../../../domain/service-event.ts'
import { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts'
import type { Statements } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'
import {
  afterFailure,
  afterSuccess,
  EVENT_COLUMNS,
  isDue,
  nextAttemptOf,
  PLACE_COLUMNS,
  recorded,
  TRAIL_COLUMNS,
  type UndeliverablePlace,
} from './service-event-statements.ts'
import { ENDPOINT_COLUMNS } from './webhook-endpoint-row.ts'

interface Place {
  readonly bucket: number
  readonly event_id: string
}

interface Candidate extends Place {
  readonly attempts: number
}

/**
 * The statements of service-event-statements.ts for tables on several servers. Citus locks no rows of several servers in one statement, and
 * changes no endpoint together with an event. So what is due is read first, and each event is then leased by a statement of its own, which
 * holds only if nobody leased it meanwhile.
 */
export class ShardedEventStatements {
  readonly #statements: Pick<Statements, 'query'>

  constructor(statements: Pick<Statements, 'query'>) {
    this.#statements = statements
  }

  async claim<Row extends object>(room: DeliveryRoom, now: Date, leaseEnd: Date): Promise<readonly Row[]> {
    const rows: Row[] = []
    for (const { client_id, places } of await this.#endpoints(room, now)) {
      for (const candidate of await this.#statements.query<Candidate>(findDue(client_id, places, now))) {
        rows.push(...(await this.#statements.query<Row>(lease(candidate, now, leaseEnd))))
      }
    }
    return rows
  }

  /** Those with room, and those whose probe is due and has an event to send. One process gets the probe. */
  async #endpoints({ perEndpoint, taken }: DeliveryRoom, now: Date) {
    const found = await this.#statements.query<{ client_id: string; probe_at: Date | null }>(
      findEndpoints(now),
    )
    const open: { readonly client_id: string; readonly places: number }[] = []
    for (const { client_id, probe_at } of found) {
      const places = probe_at ? 1 : perEndpoint - (taken.get(client_id) ?? 0)
      if (places > 0 && (!probe_at || (await this.#takesProbe(client_id, probe_at, now)))) {
        open.push({ client_id, places })
      }
    }
    return open
  }

  async #takesProbe(clientId: string, probeAt: Date, now: Date): Promise<boolean> {
    const [due] = await this.#statements.query<Candidate>(findDue(clientId, 1, now))
    if (!due) return false
    const taken = await this.#statements.query(Prisma.sql`/* service-events.take-probe */
      UPDATE webhook_endpoints
      SET probe_at = ${WebhookEndpoint.nextProbe(now)}::timestamptz
      WHERE client_id = ${clientId} AND probe_at = ${probeAt}::timestamptz
      RETURNING client_id`)
    return taken.length > 0
  }

  /** What an outcome says about the endpoint follows by statements of their own. A process that ends in between leaves it as it was. */
  async record(
    delivery: ServiceEventDelivery,
    outcome: ServiceEventOutcome,
    gone: boolean,
    now: Date,
  ): Promise<boolean> {
    const { event } = delivery
    const nextAttemptAt = nextAttemptOf(outcome)
    const [found] = await this.#statements.query<Place>(
      Prisma.sql`/* service-events.record */ ${recorded(delivery, outcome, now)}`,
    )
    if (!found) return false
    if (nextAttemptAt) {
      await this.#statements.query(Prisma.sql`/* service-events.defer-behind */
        UPDATE service_events
        SET next_attempt_at = greatest(next_attempt_at, ${nextAttemptAt}::timestamptz)
        WHERE bucket = ${found.bucket}::integer AND challenge_id = ${event.challengeId}::uuid
          AND event_id > ${found.event_id}::bigint AND finished_at IS NULL`)
    }
    await this.#recordHealth(event.clientId, outcome, gone, now)
    return true
  }

  /** Most outcomes change nothing. A change goes to all servers, so one that would change nothing is not sent. */
  async #recordHealth(
    clientId: string,
    outcome: ServiceEventOutcome,
    gone: boolean,
    now: Date,
  ): Promise<void> {
    const [name, change] =
      outcome.status === 'accepted' ? ['success', afterSuccess()] : ['failure', afterFailure(gone, now)]
    const named = (what: string) => Prisma.raw(`service-events.${what}-health-after-${name}`)
    const [changing] = await this.#statements.query(Prisma.sql`/* ${named('find')} */
      SELECT client_id FROM webhook_endpoints w WHERE client_id = ${clientId} AND ${change.applies}`)
    if (!changing) return
    await this.#statements.query(Prisma.sql`/* ${named('record')} */
      UPDATE webhook_endpoints w SET ${change.changes} WHERE client_id = ${clientId} AND ${change.applies}`)
  }

  /**
   * The servers commit one after the other. So a reader waits while places are being committed, or its cursor would pass over one that
   * it does not see yet. number_service_events() waits for the reader likewise. Each event on the trail is then found by its key, whatever
   * the planner expects of a join.
   */
  async after<Row extends object>(clientId: string, after: number, limit: number): Promise<Row[]> {
    const page = await this.#page(clientId, after, limit)
    if (page.length === 0) return []
    const events = await this.#statements.query<
      Row & { readonly e_id: string }
    >(Prisma.sql`/* service-events.read */
      SELECT ${TRAIL_COLUMNS}
      FROM challenge_events e
      WHERE e.bucket = ANY(${page.map(({ bucket }) => bucket)}::integer[])
        AND e.id = ANY(${page.map(({ event_id }) => event_id)}::bigint[])`)
    const byId = new Map(events.map((event) => [event.e_id, event]))
    const found = page.flatMap((place) => {
      const event = byId.get(place.event_id)
      return event ? [{ ...place, ...event }] : []
    })
    // A place without its event is passed over.
    return found.length > 0 || page.length < limit
      ? found
      : this.after<Row>(clientId, Number(page.at(-1)!.s_position), limit)
  }

  #page(clientId: string, after: number, limit: number) {
    return this.#statements.query<
      Place & { readonly s_position: string }
    >(Prisma.sql`/* service-events.list */
      WITH turn AS MATERIALIZED (
        SELECT pg_advisory_xact_lock_shared(hashtext('countersign.service_events.places'))::text AS taken
      )
      SELECT s.bucket, s.event_id, ${PLACE_COLUMNS}
      FROM service_events s
      WHERE s.client_id = ${clientId} AND s.position > ${after}::bigint AND (SELECT count(*) FROM turn) = 1
      ORDER BY s.position
      LIMIT ${limit}::integer`)
  }

  /** The last position of a page, and how many of its events are due again; undefined after the last. */
  async replay(clientId: string, after: number, since: Date | undefined, now: Date, limit: number) {
    const page = await this.#statements.query<{ position: string }>(Prisma.sql`/* service-events.find-page */
      SELECT position
      FROM service_events
      WHERE client_id = ${clientId} AND position > ${after}::bigint
      ORDER BY position
      LIMIT ${limit}::integer`)
    const last = page.at(-1)?.position
    if (last === undefined) return undefined
    const due = await this.#statements.query(Prisma.sql`/* service-events.replay */
      UPDATE service_events
      SET attempts = 0, next_attempt_at = ${now}::timestamptz, finished_at = NULL, outcome = NULL
      WHERE client_id = ${clientId} AND position > ${after}::bigint AND position <= ${last}::bigint
        AND finished_at IS NOT NULL
        AND (${since ?? null}::timestamptz IS NULL OR stored_at >= ${since ?? null}::timestamptz)
      RETURNING event_id`)
    return { last, replayed: due.length }
  }
}

/** As {@link finishUndeliverable}. An event that is numbered meanwhile is left to the next place. */
export async function finishShardedUndeliverable(
  statements: Pick<Statements, 'query'>,
  clientId: string,
  place: UndeliverablePlace,
  limit: number,
): Promise<number> {
  const isThere = Prisma.raw(place === 'with-position' ? 's.position IS NOT NULL' : 's.position IS NULL')
  const undeliverable = Prisma.sql`w.client_id = s.client_id AND w.url IS NULL
        AND s.client_id = ${clientId} AND s.finished_at IS NULL AND ${isThere}`
  const named = (what: string) => Prisma.raw(`service-events.${what}-${place}`)
  const page = await statements.query<{ event_id: string }>(Prisma.sql`/* ${named('find')} */
    SELECT s.event_id
    FROM service_events s, webhook_endpoints w
    WHERE ${undeliverable}
    ORDER BY s.event_id
    LIMIT ${limit}::integer`)
  const last = page.at(-1)?.event_id
  if (last !== undefined) {
    await statements.query(Prisma.sql`/* ${named('finish')} */
      UPDATE service_events s
      SET finished_at = now(), outcome = 'given-up', leased_until = NULL
      FROM webhook_endpoints w
      WHERE ${undeliverable} AND s.event_id <= ${last}::bigint`)
  }
  return page.length
}

function findEndpoints(now: Date): Prisma.Sql {
  return Prisma.sql`/* service-events.find-endpoints */
    SELECT client_id, CASE WHEN paused_at IS NOT NULL THEN probe_at END AS probe_at
    FROM webhook_endpoints
    WHERE url IS NOT NULL AND (paused_at IS NULL OR probe_at <= ${now}::timestamptz)`
}

function findDue(clientId: string, limit: number, now: Date): Prisma.Sql {
  return Prisma.sql`/* service-events.find-due */
    SELECT s.bucket, s.event_id, s.attempts
    FROM service_events s
    WHERE s.client_id = ${clientId} AND ${isDue(now)}
    ORDER BY s.next_attempt_at, s.event_id
    LIMIT ${limit}::integer`
}

function lease({ bucket, event_id, attempts }: Candidate, now: Date, leaseEnd: Date): Prisma.Sql {
  const place = Prisma.sql`${bucket}::integer`
  return Prisma.sql`/* service-events.claim-one */
    WITH s AS (
      UPDATE service_events
      SET leased_until = ${leaseEnd}::timestamptz, attempts = attempts + 1
      WHERE bucket = ${place} AND event_id = ${event_id}::bigint AND attempts = ${attempts}::smallint
        AND finished_at IS NULL AND (leased_until IS NULL OR leased_until <= ${now}::timestamptz)
      RETURNING *
    )
    SELECT ${EVENT_COLUMNS}, s.attempts AS s_attempts, ${ENDPOINT_COLUMNS}
    FROM s
    JOIN challenge_events e ON e.bucket = ${place} AND e.id = s.event_id
    JOIN webhook_endpoints w ON w.client_id = s.client_id`
}
