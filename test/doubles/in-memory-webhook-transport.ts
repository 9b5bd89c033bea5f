import type { WebhookReply, WebhookTransport } from '../../src/application/ports/webhook-transport.ts'
import type { ServiceEvent } from '../../src/domain/service-event.ts'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'

/** Keeps what it was given, and answers as a test wants: at first, that each event was accepted. */
export class InMemoryWebhookTransport implements WebhookTransport {
  readonly sent: ServiceEvent[] = []
  reply: (event: ServiceEvent) => Promise<WebhookReply> = async () => ({ outcome: 'accepted' })

  send(_: WebhookEndpoint, event: ServiceEvent): Promise<WebhookReply> {
    this.sent.push(event)
    return this.reply(event)
  }
}
