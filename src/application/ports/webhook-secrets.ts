import type { WebhookSecretOrigin } from '../../domain/webhook-endpoint.ts'

/** The secrets that this service shares with the services that get its events. No table stores them. */
export abstract class WebhookSecrets {
  /** The origin of a new secret, from the active key. */
  abstract newOrigin(): WebhookSecretOrigin

  /**
   * The secret of a client, in the form of Standard Webhooks: `whsec_` and base64. The same each time.
   *
   * @throws {WebhookSecretLost} if its key is gone from the configuration.
   */
  abstract secretOf(clientId: string, origin: WebhookSecretOrigin): string
}

/** The key that a secret is derived from is gone from the configuration. The client needs a new secret. */
export class WebhookSecretLost extends Error {
  constructor(keyId: string) {
    super(`OTP_KEYS has no key ${keyId}, which a webhook secret is derived from`)
  }
}
