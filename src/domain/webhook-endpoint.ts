/** Where a service gets the events of its challenges. */
export interface WebhookEndpoint {
  readonly clientId: string
  /** Undefined if the service only reads its events, with a cursor. */
  readonly url: string | undefined
  /** What its secrets are derived from, beside a key of `OTP_KEYS`. The newest first. A second one stays valid while the service changes over. */
  readonly secrets: readonly WebhookSecretOrigin[]
  /** Undefined unless its deliveries failed for too long, or it answered 410. */
  readonly pausedAt: Date | undefined
  /** Who registered it: the operator in the configuration, or the service itself. */
  readonly registeredBy: 'configuration' | 'service'
}

export interface WebhookSecretOrigin {
  /** The id of the key in `OTP_KEYS`. */
  readonly keyId: string
  /** 16 random bytes, in base64url. */
  readonly salt: string
}
