import { WebhookNotFound, WebhookRegistration } from '../../domain/webhook-registration.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'
import type { WebhookSecrets } from '../ports/webhook-secrets.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'
import { type SharedWebhook, sharedWebhook } from './shared-webhook.ts'

export interface RotateWebhookSecretCommand {
  readonly clientId: string
  /** Whether the newest secret so far stays valid beside the new one. False if it has leaked. */
  readonly keepsPrevious: boolean
}

/** Gives an endpoint another secret. Each call makes one, also for an endpoint that the operator has registered. */
export class RotateWebhookSecret {
  readonly #endpoints: WebhookEndpoints
  readonly #secrets: WebhookSecrets

  constructor(endpoints: WebhookEndpoints, secrets: WebhookSecrets) {
    this.#endpoints = endpoints
    this.#secrets = secrets
  }

  /** @throws {WebhookNotFound} @throws {StorageUnavailable} */
  async execute({ clientId, keepsPrevious }: RotateWebhookSecretCommand): Promise<SharedWebhook> {
    const endpoint = await retryOnConflict('an endpoint', async () => {
      const current = await this.#endpoints.find(clientId)
      if (!current) throw new WebhookNotFound()
      const rotated = WebhookRegistration.rotateSecret(current, this.#secrets.newOrigin(), keepsPrevious)
      return { saved: await this.#endpoints.save(rotated, current), result: rotated }
    })
    return sharedWebhook(endpoint, this.#secrets)
  }
}
