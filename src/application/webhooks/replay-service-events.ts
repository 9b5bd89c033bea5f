import { WebhookNotFound } from '../../domain/webhook-registration.ts'
import type { Clock } from '../ports/clock.ts'
import type { ServiceEvents } from '../ports/service-events.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'

export interface ReplayServiceEventsCommand {
  readonly clientId: string
  /** After a position, or those that were stored since then. */
  readonly from: { readonly after: number } | { readonly since: Date }
}

/** Delivers events again that were delivered or given up, as for a service that has lost them. */
export class ReplayServiceEvents {
  readonly #endpoints: WebhookEndpoints
  readonly #events: ServiceEvents
  readonly #clock: Clock

  constructor(endpoints: WebhookEndpoints, events: ServiceEvents, clock: Clock) {
    this.#endpoints = endpoints
    this.#events = events
    this.#clock = clock
  }

  /** @returns how many events. @throws {WebhookNotFound} @throws {StorageUnavailable} Some may be due again then. */
  async execute({ clientId, from }: ReplayServiceEventsCommand): Promise<number> {
    const endpoint = await this.#endpoints.find(clientId)
    if (!endpoint) throw new WebhookNotFound()
    return this.#events.replay(clientId, from, this.#clock.now())
  }
}
