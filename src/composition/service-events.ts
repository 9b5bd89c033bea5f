import { ContainerModule } from 'inversify'
import { Authentication } from '../adapters/http-koa/edge/authentication.ts'
import { serviceEventRoutes } from '../adapters/http-koa/service-events/routes.ts'
import { Statements } from '../adapters/persistence-prisma/connection/statements.ts'
import { PrismaServiceEvents } from '../adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { WebhookConfiguration } from '../adapters/webhook-configuration/webhook-configuration.ts'
import { GuardedNetworks } from '../adapters/webhook-http/guarded-networks.ts'
import { HkdfWebhookSecrets } from '../adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import { ServiceEvents } from '../application/ports/service-events.ts'
import { WebhookEndpoints } from '../application/ports/webhook-endpoints.ts'
import { WebhookSecrets } from '../application/ports/webhook-secrets.ts'
import { ApplyConfiguredWebhooks } from '../application/webhooks/apply-configured-webhooks.ts'
import { FindWebhook } from '../application/webhooks/find-webhook.ts'
import { ReadServiceEvents } from '../application/webhooks/read-service-events.ts'
import { RegisterWebhook } from '../application/webhooks/register-webhook.ts'
import { RemoveWebhook } from '../application/webhooks/remove-webhook.ts'
import { RotateWebhookSecret } from '../application/webhooks/rotate-webhook-secret.ts'
import type { Keys } from '../config/formats.ts'
import { bindClass, bindPort } from './bind-class.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Log, Networks, Routes } from './container-keys.ts'

/** Where services register for the events of their challenges, and read them. The delivery of events is in delivery.ts. */
export function serviceEvents({ config }: CompositionOptions, otpKeys: Keys): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bindPort(bind, WebhookEndpoints, PrismaWebhookEndpoints, [Statements])
    bindPort(bind, ServiceEvents, PrismaServiceEvents, [Statements])
    bind(WebhookSecrets).toConstantValue(new HkdfWebhookSecrets(otpKeys))
    bind(Networks).toConstantValue(new GuardedNetworks(config.webhooks.destinations))

    bindClass(bind, RegisterWebhook, [WebhookEndpoints, WebhookSecrets, Networks])
    bindClass(bind, FindWebhook, [WebhookEndpoints])
    bindClass(bind, RemoveWebhook, [WebhookEndpoints])
    bindClass(bind, RotateWebhookSecret, [WebhookEndpoints, WebhookSecrets])
    bindClass(bind, ReadServiceEvents, [WebhookEndpoints, ServiceEvents])
    bindClass(bind, ApplyConfiguredWebhooks, [WebhookEndpoints, WebhookSecrets])

    bind(WebhookConfiguration).toResolvedValue(
      (applyConfigured, logger) =>
        new WebhookConfiguration(applyConfigured, config.webhooks.configured, logger),
      [ApplyConfiguredWebhooks, Log],
    )

    bind(Routes).toResolvedValue(
      (authentication, registerWebhook, findWebhook, removeWebhook, rotateWebhookSecret, readServiceEvents) =>
        serviceEventRoutes(authentication, {
          ...{ registerWebhook, findWebhook, removeWebhook, rotateWebhookSecret, readServiceEvents },
        }),
      [Authentication, RegisterWebhook, FindWebhook, RemoveWebhook, RotateWebhookSecret, ReadServiceEvents],
    )
  })
}
