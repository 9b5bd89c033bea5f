import type {
  DeliveryRoom,
  ServiceEventDelivery,
  ServiceEvents,
} from '../../../application/ports/service-events.ts'
import { ServiceEvent, type ServiceEventOutcome } from '../../../domain/service-event.ts'
import { domainEventOf } from '../audit-trail/event-row.ts'
import type { Statements } from '../connection/statements.ts'
import type { Prisma } from '../generated/client.ts'
import {
  claimDueEvents,
  listEvents,
  numberEvents,
  recordDelivery,
  replayEvents,
} from './service-event-statements.ts'
import { ShardedEventStatements } from './sharded-event-statements.ts'
import { endpointOf, type WebhookEndpointRow } from './webhook-endpoint-row.ts'

/** An event with its place. The driver gives a bigint as text. */
interface ServiceEventRow {
  readonly s_id: string
  readonly s_client_id: string
  readonly s_position: string
  readonly e_id: string
  readonly e_challenge_id: string
  readonly e_subject_user_id: string
  readonly e_type: string
  readonly e_occurred_at: Date
  readonly e_details: Prisma.JsonValue
}

/** So many rows that one statement stays far below its time limit. */
const REPLAYED_AT_ONCE = 1000

/** Numbers, leases and records the rows of `service_events`. A trigger adds them, with the events of the trail. */
export class PrismaServiceEvents implements ServiceEvents {
  readonly #statements: Pick<Statements, 'query' | 'sharding'>
  readonly #sharded: ShardedEventStatements | undefined

  constructor(statements: Pick<Statements, 'query' | 'sharding'>) {
    this.#statements = statements
    if (statements.sharding === 'citus') this.#sharded = new ShardedEventStatements(statements)
  }

  async number(limit: number): Promise<number> {
    const [row] = await this.#statements.query<{ numbered: number }>(numberEvents(limit))
    return row!.numbered
  }

  async claim(room: DeliveryRoom, now: Date, leaseEnd: Date): Promise<readonly ServiceEventDelivery[]> {
    type Row = ServiceEventRow & WebhookEndpointRow & { readonly s_attempts: number }
    const rows = await (this.#sharded
      ? this.#sharded.claim<Row>(room, now, leaseEnd)
      : this.#statements.query<Row>(claimDueEvents(room, now, leaseEnd)))
    return rows.flatMap((row) =>
      serviceEventOf(row).map((event) => ({ event, endpoint: endpointOf(row), attempt: row.s_attempts })),
    )
  }

  async record(
    claimed: ServiceEventDelivery,
    outcome: ServiceEventOutcome,
    gone: boolean,
    now: Date,
  ): Promise<boolean> {
    if (this.#sharded) return this.#sharded.record(claimed, outcome, gone, now)
    return (await this.#statements.query(recordDelivery(claimed, outcome, gone, now))).length === 1
  }

  async after(clientId: string, position: number, limit: number): Promise<readonly ServiceEvent[]> {
    const rows = await (this.#sharded
      ? this.#sharded.after<ServiceEventRow>(clientId, position, limit)
      : this.#statements.query<ServiceEventRow>(listEvents(clientId, position, limit)))
    return rows.flatMap(serviceEventOf)
  }

  async replay(
    clientId: string,
    from: { readonly after: number } | { readonly since: Date },
    now: Date,
  ): Promise<number> {
    const since = 'since' in from ? from.since : undefined
    let after = 'after' in from ? from.after : 0
    for (let replayed = 0; ; ) {
      const page = this.#sharded
        ? await this.#sharded.replay(clientId, after, since, now, REPLAYED_AT_ONCE)
        : (
            await this.#statements.query<{ last: string | null; replayed: number }>(
              replayEvents(clientId, after, since, now, REPLAYED_AT_ONCE),
            )
          )[0]
      if (!page?.last) return replayed
      replayed += page.replayed
      after = Number(page.last)
    }
  }
}

/** None for an event of a newer version, whose processes know what to do with it. */
function serviceEventOf(row: ServiceEventRow): ServiceEvent[] {
  const event = domainEventOf({
    challengeId: row.e_challenge_id,
    subjectUserId: row.e_subject_user_id,
    type: row.e_type,
    occurredAt: row.e_occurred_at,
    details: row.e_details,
  })
  const told = ServiceEvent.of(event, {
    id: row.s_id,
    clientId: row.s_client_id,
    position: Number(row.s_position),
  })
  return told ? [told] : []
}
