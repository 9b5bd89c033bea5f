import { ContainerModule } from 'inversify'
import { ServiceEventDeliverer } from '../adapters/deliverer/service-event-deliverer.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { FewStatements } from '../adapters/persistence-prisma/connection/few-statements.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaServiceEvents } from '../adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { HttpWebhookTransport } from '../adapters/webhook-http/http-webhook-transport.ts'
import { HkdfWebhookSecrets } from '../adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import { Clock } from '../application/ports/clock.ts'
import { ServiceEvents } from '../application/ports/service-events.ts'
import { WebhookTransport } from '../application/ports/webhook-transport.ts'
import { DeliverServiceEvents } from '../application/service-events/deliver-service-events.ts'
import type { DeliveryOptions } from './composition-options.ts'
import { Log } from './container-keys.ts'

/** At the same time. Mails have the other connections of the thread for themselves, however many events there are. */
const MOST_STATEMENTS = 2

/** A poll asks all servers. */
const SHARDED_POLL_INTERVAL_IN_MS = 2000

/** What brings the events of challenges to their services. */
export function eventDelivery({ config, webhookSigner }: DeliveryOptions): ContainerModule {
  const { otpKeys, webhookDestinations } = config
  return new ContainerModule(({ bind }) => {
    bind(WebhookTransport).toResolvedValue(
      (clock) =>
        new HttpWebhookTransport(new HkdfWebhookSecrets(otpKeys), webhookSigner, clock, webhookDestinations),
      [Clock],
    )
    bind(ServiceEvents).toResolvedValue(
      (statements) => new PrismaServiceEvents(new FewStatements(statements, MOST_STATEMENTS)),
      [Statements],
    )
    bind(DeliverServiceEvents).toResolvedValue(
      (events, transport, clock) => new DeliverServiceEvents(events, transport, clock),
      [ServiceEvents, WebhookTransport, Clock],
    )
    bind(ServiceEventDeliverer).toResolvedValue(
      (deliverServiceEvents, metrics, logger) =>
        new ServiceEventDeliverer(deliverServiceEvents, logger, {
          ...(config.databaseSharding === 'citus' && { pollIntervalInMs: SHARDED_POLL_INTERVAL_IN_MS }),
          observer: ({ outcome, reason = '' }) => metrics.serviceEventAttempts.inc({ outcome, reason }),
        }),
      [DeliverServiceEvents, Metrics, Log],
    )
  })
}
