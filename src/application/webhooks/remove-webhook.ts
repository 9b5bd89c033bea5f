import { WebhookRegistration } from '../../domain/webhook-registration.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'

/** Removes an endpoint. From then on the service stores no events for it. Has no effect without an endpoint. */
export class RemoveWebhook {
  readonly #endpoints: WebhookEndpoints

  constructor(endpoints: WebhookEndpoints) {
    this.#endpoints = endpoints
  }

  /** @throws {WebhookConfigured} @throws {StorageUnavailable} */
  async execute(clientId: string): Promise<void> {
    const endpoint = await this.#endpoints.find(clientId)
    if (!endpoint) return
    WebhookRegistration.assertOwn(endpoint)
    await this.#endpoints.remove(endpoint)
  }
}
