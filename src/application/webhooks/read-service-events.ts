import type { ServiceEvent } from '../../domain/service-event.ts'
import { WebhookNotFound } from '../../domain/webhook-registration.ts'
import type { ServiceEvents } from '../ports/service-events.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'

export interface ReadServiceEventsQuery {
  readonly clientId: string
  /** The cursor: the position of the last event that the client has. 0 before the first one. */
  readonly after: number
  readonly limit: number
}

export interface ServiceEventPage {
  /** In the order of their positions. */
  readonly events: readonly ServiceEvent[]
  /** The cursor for the next page. */
  readonly nextAfter: number
}

/** Gives a client the events of its challenges after a cursor, delivered or not. A cursor passes over none, whatever is stored late. */
export class ReadServiceEvents {
  readonly #endpoints: WebhookEndpoints
  readonly #events: ServiceEvents

  constructor(endpoints: WebhookEndpoints, events: ServiceEvents) {
    this.#endpoints = endpoints
    this.#events = events
  }

  /**
   * @throws {WebhookNotFound} if no events are stored for the client, because nobody has registered an endpoint for it. An empty page
   *   would look like a quiet day.
   * @throws {StorageUnavailable}
   */
  async execute({ clientId, after, limit }: ReadServiceEventsQuery): Promise<ServiceEventPage> {
    if (!(await this.#endpoints.find(clientId))) throw new WebhookNotFound()
    const events = await this.#events.after(clientId, after, limit)
    return { events, nextAfter: events.at(-1)?.position ?? after }
  }
}
