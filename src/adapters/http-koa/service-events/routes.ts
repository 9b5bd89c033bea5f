import type { FindWebhook } from '../../../application/webhooks/find-webhook.ts'
import type { ReadServiceEvents } from '../../../application/webhooks/read-service-events.ts'
import type { RegisterWebhook } from '../../../application/webhooks/register-webhook.ts'
import type { RemoveWebhook } from '../../../application/webhooks/remove-webhook.ts'
import type { RotateWebhookSecret } from '../../../application/webhooks/rotate-webhook-secret.ts'
import type { SharedWebhook } from '../../../application/webhooks/shared-webhook.ts'
import { cloudEventOf } from '../../../contracts/cloud-event.ts'
import type { WebhookEndpoint } from '../../../domain/webhook-endpoint.ts'
import type { Authentication } from '../edge/authentication.ts'
import { OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { HttpError } from '../edge/http-error.ts'
import { jsonBody } from '../edge/json-body.ts'
import { query } from '../edge/query.ts'
import { createRouter, type EdgeRouter, pattern } from '../edge/router.ts'
import type { RouteContext } from '../edge/state.ts'
import { EVENTS, WEBHOOKS } from '../paths.ts'
import type { ServiceEventPageBody, SharedWebhookBody, WebhookBody } from './bodies.openapi.ts'
import { EventsQuery, SecretRotation, WebhookDemand } from './schema.ts'

const WEBHOOK = `${WEBHOOKS}/{clientId}`

export interface ServiceEventUseCases {
  readonly registerWebhook: Pick<RegisterWebhook, 'execute'>
  readonly findWebhook: Pick<FindWebhook, 'execute'>
  readonly removeWebhook: Pick<RemoveWebhook, 'execute'>
  readonly rotateWebhookSecret: Pick<RotateWebhookSecret, 'execute'>
  readonly readServiceEvents: Pick<ReadServiceEvents, 'execute'>
}

/** Where operation services get the events of their challenges, and a cursor over them. */
export function serviceEventRoutes(
  authentication: Authentication,
  {
    registerWebhook,
    findWebhook,
    removeWebhook,
    rotateWebhookSecret,
    readServiceEvents,
  }: ServiceEventUseCases,
): EdgeRouter {
  const router = createRouter({ errors: OPERATION_SERVICE_ERRORS })

  /** A client decides about its own endpoint alone: what another client's challenges go through is not its business. */
  const ownClientId = async (ctx: RouteContext) => {
    const clientId = await authentication.client(ctx, 'mfa:webhooks:write')
    if (ctx.params.clientId !== clientId) throw new HttpError('forbidden')
    return clientId
  }

  router.put(pattern(WEBHOOK), async (ctx) => {
    const clientId = await ownClientId(ctx)
    const { url } = await jsonBody(ctx, WebhookDemand)
    const { created, ...shared } = await registerWebhook.execute({ clientId, url })
    ctx.status = created ? 201 : 200
    ctx.body = sharedBody(shared)
  })

  router.get(pattern(WEBHOOK), async (ctx) => {
    ctx.body = webhookBody(await findWebhook.execute(await ownClientId(ctx)))
  })

  router.delete(pattern(WEBHOOK), async (ctx) => {
    await removeWebhook.execute(await ownClientId(ctx))
    ctx.status = 204
  })

  router.post(pattern(`${WEBHOOK}:rotateSecret`), async (ctx) => {
    const clientId = await ownClientId(ctx)
    const { keepPrevious } = await jsonBody(ctx, SecretRotation)
    ctx.body = sharedBody(await rotateWebhookSecret.execute({ clientId, keepsPrevious: keepPrevious }))
  })

  router.get(pattern(EVENTS), async (ctx) => {
    const clientId = await authentication.client(ctx, 'mfa:events:read')
    const { after, limit } = query(ctx, EventsQuery)
    const { events, nextAfter } = await readServiceEvents.execute({ clientId, after, limit })
    ctx.body = { events: events.map(cloudEventOf), nextAfter } satisfies ServiceEventPageBody
  })

  return router
}

function webhookBody({ clientId, url, pausedAt, registeredBy, secrets }: WebhookEndpoint): WebhookBody {
  return {
    clientId,
    url: url ?? null,
    pausedAt: pausedAt ?? null,
    registeredBy,
    previousSecretSigns: secrets.length > 1,
  }
}

function sharedBody({ endpoint, secret }: SharedWebhook): SharedWebhookBody {
  return { ...webhookBody(endpoint), secret: secret ?? null }
}
