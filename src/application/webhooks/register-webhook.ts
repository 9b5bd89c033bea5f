import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'
import { type WebhookNetworks, WebhookRegistration, WebhookUrl } from '../../domain/webhook-registration.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'
import type { WebhookSecrets } from '../ports/webhook-secrets.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import { type SharedWebhook, sharedWebhook } from './shared-webhook.ts'

export interface RegisterWebhookCommand {
  readonly clientId: string
  /** Undefined: the service reads its events with a cursor, and gets none. */
  readonly url: string | undefined
}

/** Registers where a service gets its events, or changes it. From then on the service stores events for it. */
export class RegisterWebhook {
  readonly #endpoints: WebhookEndpoints
  readonly #secrets: WebhookSecrets
  readonly #networks: WebhookNetworks

  constructor(endpoints: WebhookEndpoints, secrets: WebhookSecrets, networks: WebhookNetworks) {
    this.#endpoints = endpoints
    this.#secrets = secrets
    this.#networks = networks
  }

  /** @throws {WebhookMalformed} @throws {WebhookConfigured} @throws {StorageUnavailable} */
  async execute({
    clientId,
    url,
  }: RegisterWebhookCommand): Promise<SharedWebhook & { readonly created: boolean }> {
    const demand = {
      clientId,
      url: url === undefined ? undefined : WebhookUrl.parse(url, this.#networks),
      registeredBy: 'service',
    } as const
    const [endpoint, created] = await retryOnConflict('an endpoint', async () => {
      const current = await this.#endpoints.find(clientId)
      const registered = WebhookRegistration.register(current, demand, this.#secrets.newOrigin())
      const saved = registered === current || (await this.#endpoints.save(registered, current))
      return { saved, result: [registered, current === undefined] as [WebhookEndpoint, boolean] }
    })
    return { ...sharedWebhook(endpoint, this.#secrets), created }
  }
}
