import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'
import { WebhookSecretLost, type WebhookSecrets } from '../ports/webhook-secrets.ts'

/** An endpoint with the secret that its service checks deliveries with. */
export interface SharedWebhook {
  readonly endpoint: WebhookEndpoint
  /** The newest one. Undefined if its key is gone from the configuration: the service needs a new one. */
  readonly secret: string | undefined
}

export function sharedWebhook(endpoint: WebhookEndpoint, secrets: WebhookSecrets): SharedWebhook {
  const [newest] = endpoint.secrets
  try {
    return { endpoint, secret: newest && secrets.secretOf(endpoint.clientId, newest) }
  } catch (error) {
    if (!(error instanceof WebhookSecretLost)) throw error
    return { endpoint, secret: undefined }
  }
}
