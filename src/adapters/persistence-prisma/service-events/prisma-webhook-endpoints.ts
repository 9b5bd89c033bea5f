import type { WebhookEndpoints } from '../../../application/ports/webhook-endpoints.ts'
import type { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts'
import type { Statements } from '../connection/statements.ts'
import { Prisma } from '../generated/client.ts'
import { finishUndeliverable, type UndeliverablePlace } from './service-event-statements.ts'
import { finishShardedUndeliverable } from './sharded-event-statements.ts'
import { ENDPOINT_COLUMNS, endpointOf, type WebhookEndpointRow } from './webhook-endpoint-row.ts'

/** So many rows that one statement stays far below its time limit. */
const FINISHED_AT_ONCE = 1000

/** Keeps the rows of `webhook_endpoints`. */
export class PrismaWebhookEndpoints implements WebhookEndpoints {
  readonly #statements: Pick<Statements, 'query' | 'sharding'>

  constructor(statements: Pick<Statements, 'query' | 'sharding'>) {
    this.#statements = statements
  }

  async find(clientId: string): Promise<WebhookEndpoint | undefined> {
    const [row] = await this.#statements.query<WebhookEndpointRow>(Prisma.sql`/* webhook-endpoints.find */
      SELECT ${ENDPOINT_COLUMNS} FROM webhook_endpoints w WHERE w.client_id = ${clientId}`)
    return row && endpointOf(row)
  }

  async all(): Promise<readonly WebhookEndpoint[]> {
    const rows = await this.#statements.query<WebhookEndpointRow>(Prisma.sql`/* webhook-endpoints.all */
      SELECT ${ENDPOINT_COLUMNS} FROM webhook_endpoints w ORDER BY w.client_id COLLATE "C"`)
    return rows.map(endpointOf)
  }

  async save(endpoint: WebhookEndpoint, previous: WebhookEndpoint | undefined): Promise<boolean> {
    if (previous && previous.url === undefined && endpoint.url !== undefined) {
      await this.#finishUndeliverable(endpoint.clientId)
    }
    const saved = await this.#statements.query(previous ? replace(endpoint, previous) : add(endpoint))
    return saved.length === 1
  }

  async remove({
    clientId,
    registeredBy,
  }: Pick<WebhookEndpoint, 'clientId' | 'registeredBy'>): Promise<void> {
    await this.#finishUndeliverable(clientId)
    await this.#statements.query(Prisma.sql`/* webhook-endpoints.remove */
      DELETE FROM webhook_endpoints WHERE client_id = ${clientId} AND registered_by = ${registeredBy}`)
  }

  /** Has no effect on an endpoint with a URL. */
  async #finishUndeliverable(clientId: string): Promise<void> {
    for (const place of ['without-position', 'with-position'] as const) {
      for (;;) {
        if ((await this.#finishPage(clientId, place)) < FINISHED_AT_ONCE) break
      }
    }
  }

  /** Returns how many events it has looked at. */
  async #finishPage(clientId: string, place: UndeliverablePlace): Promise<number> {
    if (this.#statements.sharding === 'citus') {
      return finishShardedUndeliverable(this.#statements, clientId, place, FINISHED_AT_ONCE)
    }
    const [page] = await this.#statements.query<{ looked_at: number }>(
      finishUndeliverable(clientId, place, FINISHED_AT_ONCE),
    )
    return page!.looked_at
  }
}

function add({ clientId, url, secrets, registeredBy, pausedAt }: WebhookEndpoint): Prisma.Sql {
  return Prisma.sql`/* webhook-endpoints.add */
    INSERT INTO webhook_endpoints (client_id, url, secrets, registered_by, paused_at)
    VALUES (${clientId}, ${url ?? null}, ${JSON.stringify(secrets)}::jsonb, ${registeredBy},
      ${pausedAt ?? null}::timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING client_id`
}

function replace(endpoint: WebhookEndpoint, previous: WebhookEndpoint): Prisma.Sql {
  const pausedAt = endpoint.pausedAt ?? null
  return Prisma.sql`/* webhook-endpoints.replace */
    UPDATE webhook_endpoints
    SET url = ${endpoint.url ?? null},
        secrets = ${JSON.stringify(endpoint.secrets)}::jsonb,
        registered_by = ${endpoint.registeredBy},
        failing_since = CASE WHEN paused_at = ${pausedAt}::timestamptz THEN failing_since END,
        probe_at = CASE WHEN paused_at = ${pausedAt}::timestamptz THEN probe_at END,
        paused_at = ${pausedAt}::timestamptz
    WHERE client_id = ${endpoint.clientId}
      AND url IS NOT DISTINCT FROM ${previous.url ?? null}
      AND secrets = ${JSON.stringify(previous.secrets)}::jsonb
      AND registered_by = ${previous.registeredBy}
      AND paused_at IS NOT DISTINCT FROM ${previous.pausedAt ?? null}::timestamptz
    RETURNING client_id`
}
