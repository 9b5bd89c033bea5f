import type { ServiceEvent } from '../../domain/service-event.ts'
import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'

export type WebhookReply =
  | { readonly outcome: 'accepted' }
  | {
      readonly outcome: 'refused'
      readonly reason: WebhookRefusal
      readonly status?: number
      readonly retryAfterSeconds?: number
    }

/**
 * `gone` is status 410. `forbidden-address`: the host leads to loopback, link-local or private addresses that the configuration does
 * not allow.
 */
export type WebhookRefusal =
  | 'gone'
  | 'status'
  | 'redirect'
  | 'timeout'
  | 'connection'
  | 'forbidden-address'
  | 'unreadable'

/** Brings events to services over HTTP. */
export abstract class WebhookTransport {
  /** Never rejects for what the endpoint does. */
  abstract send(endpoint: WebhookEndpoint, event: ServiceEvent): Promise<WebhookReply>
}
