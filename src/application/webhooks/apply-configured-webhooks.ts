import { WebhookRegistration, type WebhookUrl } from '../../domain/webhook-registration.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'
import type { WebhookSecrets } from '../ports/webhook-secrets.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

/** Endpoints as the operator has configured them, by client id. Without a URL, the service reads its events with a cursor. */
export type ConfiguredWebhooks = ReadonlyMap<string, WebhookUrl | undefined>

/** The ids of the clients whose endpoints another configuration has changed. */
export interface AppliedConfiguration {
  readonly registered: readonly string[]
  readonly removed: readonly string[]
}

/**
 * Registers the endpoints of the configuration, and removes those that an earlier one had. Endpoints that services have registered stay
 * as they are. Any number of processes may do so at the same time.
 */
export class ApplyConfiguredWebhooks {
  readonly #endpoints: WebhookEndpoints
  readonly #secrets: WebhookSecrets

  constructor(endpoints: WebhookEndpoints, secrets: WebhookSecrets) {
    this.#endpoints = endpoints
    this.#secrets = secrets
  }

  /** @throws {StorageUnavailable} Some may be applied then. */
  async execute(configured: ConfiguredWebhooks): Promise<AppliedConfiguration> {
    const registered: string[] = []
    for (const [clientId, url] of configured) {
      const demand = { clientId, url, registeredBy: 'configuration' } as const
      const isChange = await retryOnConflict('an endpoint', async () => {
        const current = await this.#endpoints.find(clientId)
        const next = WebhookRegistration.register(current, demand, this.#secrets.newOrigin())
        if (next === current) return { saved: true, result: false }
        return { saved: await this.#endpoints.save(next, current), result: true }
      })
      if (isChange) registered.push(clientId)
    }

    const removed: string[] = []
    for (const endpoint of await this.#endpoints.all()) {
      if (endpoint.registeredBy !== 'configuration' || configured.has(endpoint.clientId)) continue
      await this.#endpoints.remove(endpoint)
      removed.push(endpoint.clientId)
    }
    return { registered, removed }
  }
}
