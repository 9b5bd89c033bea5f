import { WebhookSecretLost, type WebhookSecrets } from '../../src/application/ports/webhook-secrets.ts'
import type { WebhookSecretOrigin } from '../../src/domain/webhook-endpoint.ts'

/** Secrets that say in plain words what they are of: those of one key, which a test can take away. */
export class PlainWebhookSecrets implements WebhookSecrets {
  /** The key that is active. The service has no other one. */
  keyId = 'k1'
  #made = 0

  newOrigin(): WebhookSecretOrigin {
    this.#made++
    return { keyId: this.keyId, salt: `salt-${this.#made}` }
  }

  secretOf(clientId: string, { keyId, salt }: WebhookSecretOrigin): string {
    if (keyId !== this.keyId) throw new WebhookSecretLost(keyId)
    return `whsec_${Buffer.from(`${clientId} ${keyId} ${salt}`).toString('base64')}`
  }
}
