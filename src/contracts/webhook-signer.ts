/** What a delivery signs, by Standard Webhooks. */
export interface SignedDelivery {
  /** The id of the event: a canonical UUID. */
  readonly id: string
  /** In seconds since 1970, as in the header. */
  readonly timestamp: number
  readonly body: string
}

/** Signs deliveries with the key that the service publishes. The key may be with another thread. */
export abstract class WebhookSigner {
  /** A signature for the header `webhook-signature`: `v1a,` and base64. */
  abstract sign(delivery: SignedDelivery): Promise<string>
}

/** The text that both signatures of a delivery cover. */
export function signedContentOf({ id, timestamp, body }: SignedDelivery): string {
  return `${id}.${timestamp}.${body}`
}
