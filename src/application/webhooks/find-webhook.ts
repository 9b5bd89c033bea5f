import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'
import { WebhookNotFound } from '../../domain/webhook-registration.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'

/** Reads where a service gets its events, without its secrets. */
export class FindWebhook {
  readonly #endpoints: WebhookEndpoints

  constructor(endpoints: WebhookEndpoints) {
    this.#endpoints = endpoints
  }

  /** @throws {WebhookNotFound} @throws {StorageUnavailable} */
  async execute(clientId: string): Promise<WebhookEndpoint> {
    const endpoint = await this.#endpoints.find(clientId)
    if (!endpoint) throw new WebhookNotFound()
    return endpoint
  }
}
