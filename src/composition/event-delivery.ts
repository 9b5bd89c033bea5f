import { ContainerModule } from 'inversify'
import { HttpWebhookTransport } from '../adapters/webhook-http/http-webhook-transport.ts'
import { HkdfWebhookSecrets } from '../adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import { Clock } from '../application/ports/clock.ts'
import { WebhookTransport } from '../application/ports/webhook-transport.ts'
import type { DeliveryOptions } from './composition-options.ts'

/** What brings the events of challenges to their services. */
export function eventDelivery({ config, webhookSigner }: DeliveryOptions): ContainerModule {
  const { otpKeys, webhookDestinations } = config
  return new ContainerModule(({ bind }) => {
    bind(WebhookTransport).toResolvedValue(
      (clock) =>
        new HttpWebhookTransport(new HkdfWebhookSecrets(otpKeys), webhookSigner, clock, webhookDestinations),
      [Clock],
    )
  })
}
