import type { DeliveryRoom, ServiceEventDelivery } from '../../../application/ports/service-events.ts'
import { bucketOf } from '../../../domain/bucket.ts'
import type { ServiceEventOutcome } from '../../../domain/service-event.ts'
import { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts'
import { Prisma } from '../generated/client.ts'
import { columns } from '../row-mapping.ts'
import { ENDPOINT_COLUMNS } from './webhook-endpoint-row.ts'

/* The statements behind the events of services. Their text is constant, as in step-up-statements.ts. */

export const PLACE_COLUMNS = Prisma.raw(columns('s', 'id client_id position'))
export const TRAIL_COLUMNS = Prisma.raw(
  columns('e', 'id challenge_id subject_user_id type occurred_at details'),
)
export const EVENT_COLUMNS = Prisma.sql`${PLACE_COLUMNS}, ${TRAIL_COLUMNS}`

/** A function, because each statement in it has a snapshot of its own: it sees what the session before it has numbered. */
export function numberEvents(limit: number): Prisma.Sql {
  return Prisma.sql`/* service-events.number */
    SELECT number_service_events(${limit}::integer) AS numbered`
}

/** Each event on the trail by its key, whatever the planner expects of the tables. */
const ON_TRAIL = Prisma.sql`CROSS JOIN LATERAL (
      SELECT * FROM challenge_events WHERE id = s.event_id AND bucket = s.bucket OFFSET 0
    ) AS e`

/**
 * What a claim may take. The due events of an endpoint are in one range of an index, with those in progress at its front. The event
 * before is looked up by its index for each of them, because LIMIT lets no planner join them.
 */
export function isDue(now: Date): Prisma.Sql {
  return Prisma.sql`s.finished_at IS NULL
          AND s.position IS NOT NULL
          AND (s.leased_until IS NULL OR s.leased_until <= ${now}::timestamptz)
          AND s.next_attempt_at <= ${now}::timestamptz
          AND (
            SELECT b.event_id
            FROM service_events b
            WHERE b.bucket = s.bucket AND b.challenge_id = s.challenge_id AND b.event_id < s.event_id AND b.finished_at IS NULL
            LIMIT 1
          ) IS NULL`
}

/**
 * An endpoint that is paused gets its probe from one session: the update of its row waits for another one, and then finds the time of
 * the next probe. Nobody waits for the row of an event.
 */
export function claimDueEvents({ perEndpoint, taken }: DeliveryRoom, now: Date, leaseEnd: Date): Prisma.Sql {
  const inProgress = JSON.stringify(Array.from(taken, ([client_id, count]) => ({ client_id, count })))
  return Prisma.sql`/* service-events.claim */
    WITH probe AS (
      UPDATE webhook_endpoints w
      SET probe_at = ${WebhookEndpoint.nextProbe(now)}::timestamptz
      WHERE w.probe_at <= ${now}::timestamptz AND w.url IS NOT NULL
        AND (
          SELECT s.event_id FROM service_events s WHERE s.client_id = w.client_id AND ${isDue(now)} LIMIT 1
        ) IS NOT NULL
      RETURNING w.client_id
    ), endpoint AS MATERIALIZED (
      SELECT client_id, 1 AS room FROM probe
      UNION ALL
      SELECT w.client_id, greatest(0, ${perEndpoint}::integer - coalesce(t.count, 0))
      FROM webhook_endpoints w
      LEFT JOIN jsonb_to_recordset(${inProgress}::jsonb) AS t (client_id text, count integer) USING (client_id)
      WHERE w.paused_at IS NULL AND w.url IS NOT NULL
    ), due AS MATERIALIZED (
      SELECT next.event_id
      FROM endpoint, LATERAL (
        SELECT s.event_id
        FROM service_events s
        WHERE s.client_id = endpoint.client_id AND ${isDue(now)}
        ORDER BY s.next_attempt_at, s.event_id
        LIMIT endpoint.room
        FOR UPDATE SKIP LOCKED
      ) AS next
    ), s AS (
      UPDATE service_events
      SET leased_until = ${leaseEnd}::timestamptz, attempts = attempts + 1
      WHERE event_id = ANY(ARRAY(SELECT event_id FROM due))
      RETURNING *
    )
    SELECT ${EVENT_COLUMNS}, s.attempts AS s_attempts, ${ENDPOINT_COLUMNS}
    FROM s
    ${ON_TRAIL}
    JOIN webhook_endpoints w ON w.client_id = s.client_id
    ORDER BY s.position`
}

/**
 * Returns one row. Returns none if a later claim counted another attempt, or if the event is finished or gone. An event that is tried
 * again later takes those behind it along, so that no claim has to look at them.
 */
export function recordDelivery(
  delivery: ServiceEventDelivery,
  outcome: ServiceEventOutcome,
  gone: boolean,
  now: Date,
): Prisma.Sql {
  const nextAttemptAt = nextAttemptOf(outcome)
  const [name, health] =
    outcome.status === 'accepted'
      ? [Prisma.raw('service-events.record-success'), afterSuccess()]
      : [Prisma.raw('service-events.record-failure'), afterFailure(gone, now)]
  return Prisma.sql`/* ${name} */
    WITH recorded AS (${recorded(delivery, outcome, now)}), behind AS (
      UPDATE service_events b
      SET next_attempt_at = greatest(b.next_attempt_at, ${nextAttemptAt}::timestamptz)
      FROM recorded
      WHERE ${nextAttemptAt}::timestamptz IS NOT NULL
        AND b.challenge_id = recorded.challenge_id
        AND b.bucket = recorded.bucket
        AND b.event_id > recorded.event_id
        AND b.finished_at IS NULL
    ), health AS (
      UPDATE webhook_endpoints w
      SET ${health.changes}
      FROM recorded
      WHERE w.client_id = recorded.client_id AND ${health.applies}
    )
    SELECT event_id FROM recorded`
}

/** When an event is tried again; null if it is not. */
export function nextAttemptOf(outcome: ServiceEventOutcome): Date | null {
  return outcome.status === 'deferred' ? outcome.nextAttemptAt : null
}

/** The part that records an outcome at the event itself. */
export function recorded(
  { event, attempt }: ServiceEventDelivery,
  outcome: ServiceEventOutcome,
  now: Date,
): Prisma.Sql {
  const finished = outcome.status === 'deferred' ? null : outcome.status
  return Prisma.sql`
      UPDATE service_events
      SET leased_until = NULL,
          next_attempt_at = coalesce(${nextAttemptOf(outcome)}::timestamptz, next_attempt_at),
          finished_at = CASE WHEN ${finished}::text IS NOT NULL THEN ${now}::timestamptz END,
          outcome = ${finished}::text
      WHERE bucket = ${bucketOf(event.subjectUserId)}::integer
        AND position = ${event.position}::bigint
        AND attempts = ${attempt}::smallint
        AND finished_at IS NULL
      RETURNING bucket, event_id, client_id, challenge_id`
}

/** What an outcome changes of the endpoint `w`, and whether it changes anything. */
interface Health {
  readonly changes: Prisma.Sql
  readonly applies: Prisma.Sql
}

/** As {@link WebhookEndpoint.afterSuccess}. Most successes change nothing. */
export function afterSuccess(): Health {
  return {
    changes: Prisma.sql`failing_since = NULL,
          paused_at = CASE WHEN w.probe_at IS NULL THEN w.paused_at END,
          probe_at = NULL`,
    applies: Prisma.sql`(w.failing_since IS NOT NULL OR w.probe_at IS NOT NULL)`,
  }
}

/** As {@link WebhookEndpoint.afterFailure}. Most failures change nothing. */
export function afterFailure(gone: boolean, now: Date): Health {
  const patient = WebhookEndpoint.pausedIfFailingSince(now)
  const nextProbe = WebhookEndpoint.nextProbe(now)
  return {
    changes: Prisma.sql`failing_since = coalesce(w.failing_since, ${now}::timestamptz),
          paused_at = CASE
            WHEN w.paused_at IS NOT NULL THEN w.paused_at
            WHEN ${gone}::boolean OR w.failing_since <= ${patient}::timestamptz THEN ${now}::timestamptz
          END,
          probe_at = CASE
            WHEN ${gone}::boolean THEN NULL
            WHEN w.paused_at IS NOT NULL THEN w.probe_at
            WHEN w.failing_since <= ${patient}::timestamptz THEN ${nextProbe}::timestamptz
          END`,
    applies: Prisma.sql`(
        w.failing_since IS NULL
        OR (${gone}::boolean AND (w.paused_at IS NULL OR w.probe_at IS NOT NULL))
        OR (w.paused_at IS NULL AND w.failing_since <= ${patient}::timestamptz)
      )`,
  }
}

export function listEvents(clientId: string, after: number, limit: number): Prisma.Sql {
  return Prisma.sql`/* service-events.list */
    SELECT ${EVENT_COLUMNS}
    FROM service_events s
    ${ON_TRAIL}
    WHERE s.client_id = ${clientId} AND s.position > ${after}::bigint
    ORDER BY s.position
    LIMIT ${limit}::integer`
}

/** Returns the last position that it has looked at; null after the last event. */
export function replayEvents(
  clientId: string,
  after: number,
  since: Date | undefined,
  now: Date,
  limit: number,
): Prisma.Sql {
  return Prisma.sql`/* service-events.replay */
    WITH page AS (
      SELECT event_id, position, stored_at, finished_at
      FROM service_events
      WHERE client_id = ${clientId} AND position > ${after}::bigint
      ORDER BY position
      LIMIT ${limit}::integer
    ), due AS (
      UPDATE service_events s
      SET attempts = 0, next_attempt_at = ${now}::timestamptz, finished_at = NULL, outcome = NULL
      WHERE s.event_id = ANY(ARRAY(
        SELECT event_id
        FROM page
        WHERE finished_at IS NOT NULL
          AND (${since ?? null}::timestamptz IS NULL OR stored_at >= ${since ?? null}::timestamptz)
      ))
      RETURNING s.event_id
    )
    SELECT (SELECT max(position) FROM page) AS last, (SELECT count(*)::integer FROM due) AS replayed`
}

export type UndeliverablePlace = 'without-position' | 'with-position'

/**
 * Finishes events that wait for no delivery, because their endpoint has no URL, and returns how many it has looked at. As finished ones
 * they hold up no event behind them, and a replay finds them.
 *
 * @param place an event gets one meanwhile, so those without one come first.
 */
export function finishUndeliverable(clientId: string, place: UndeliverablePlace, limit: number): Prisma.Sql {
  const name = Prisma.raw(`service-events.finish-${place}`)
  const isThere = Prisma.raw(place === 'with-position' ? 'position IS NOT NULL' : 'position IS NULL')
  return Prisma.sql`/* ${name} */
    WITH page AS MATERIALIZED (
      SELECT event_id
      FROM service_events
      WHERE client_id = ${clientId} AND finished_at IS NULL AND ${isThere}
        AND EXISTS (SELECT FROM webhook_endpoints WHERE client_id = ${clientId} AND url IS NULL)
      ORDER BY event_id
      LIMIT ${limit}::integer
      FOR UPDATE
    ), finished AS (
      UPDATE service_events
      SET finished_at = clock_timestamp(), outcome = 'given-up', leased_until = NULL
      WHERE event_id = ANY(ARRAY(SELECT event_id FROM page)) AND finished_at IS NULL
    )
    SELECT count(*)::integer AS looked_at FROM page`
}
