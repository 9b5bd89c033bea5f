import { z } from 'zod'
import { SERVICE_EVENT_TYPES } from '../../../domain/service-event.ts'
import type { BodyOf } from '../edge/body-of.ts'
import { Identity } from '../users/schema.ts'

const Webhook = {
  clientId: Identity.meta({ description: 'The client that gets the events.' }),
  url: z.string().nullable().meta({
    description: 'Where events are sent. Null if the service reads them with a cursor.',
  }),
  pausedAt: z.date().nullable().meta({
    description:
      'Since when deliveries are paused: they failed for an hour, the endpoint answered 410, or an operator paused them. Null if they are not. Events are kept meanwhile.',
  }),
  registeredBy: z.enum(['configuration', 'service']).meta({
    description:
      '`service`: by this API. `configuration`: by the operator, so that this API can neither change nor remove it.',
  }),
  previousSecretSigns: z.boolean().meta({
    description: 'Whether deliveries are also signed with the secret before the newest one.',
  }),
}

export const WebhookEndpoint = z
  .strictObject(Webhook)
  .meta({ id: 'WebhookEndpoint', description: 'Where a service gets the events of its challenges.' })
export type WebhookBody = BodyOf<typeof WebhookEndpoint>

export const SharedWebhookEndpoint = z
  .strictObject({
    ...Webhook,
    secret: z.string().nullable().meta({
      pattern: '^whsec_[A-Za-z0-9+/]+={0,2}$',
      description:
        'The newest secret, which verifies `v1` signatures of Standard Webhooks. Keep it as you keep a password. Null if the operator has removed the key that it is derived from: rotate it.',
    }),
  })
  .meta({ id: 'SharedWebhookEndpoint', description: 'An endpoint with its secret.' })
export type SharedWebhookBody = BodyOf<typeof SharedWebhookEndpoint>

const CloudEvent = z
  .strictObject({
    specversion: z.literal('1.0'),
    id: z.string().meta({
      format: 'uuid',
      description: 'The same in each delivery and each list. It tells a repeat from another event.',
    }),
    source: z.string().meta({ description: 'What the event comes from: `/internal/v1/mfa/challenges`.' }),
    type: z.enum(SERVICE_EVENT_TYPES.map((type) => `countersign.${type}` as const)).meta({
      description: 'What happened. Later versions add types: pass over those that you do not know.',
    }),
    subject: z.string().meta({ format: 'uuid', description: 'The challenge.' }),
    time: z.string().meta({ format: 'date-time', description: 'When it happened.' }),
    datacontenttype: z.literal('application/json'),
    data: z
      .object({
        challengeId: z.string().meta({ format: 'uuid', description: 'The challenge, as in `subject`.' }),
        clientId: Identity.meta({ description: 'The client that opened the challenge.' }),
        subjectUserId: Identity.meta({ description: 'The user that the challenge is about.' }),
        position: z.int().meta({
          description: 'The place of the event among all. Later events have higher numbers, with gaps.',
        }),
      })
      .catchall(z.union([z.string(), z.number()]))
      .meta({
        description:
          'The challenge, and what is peculiar to the type: `operationType`, `number`, `kind`, `reason`, `attemptsRemaining`, `until`, `statusBefore` or `mail`. It has no code, no address and no text of the operation.',
      }),
  })
  .meta({ id: 'CloudEvent', description: 'An event in the JSON format of CloudEvents 1.0.' })

export const ServiceEventPage = z
  .strictObject({
    events: z.array(CloudEvent).meta({
      description: 'In the order of their positions: the batch format of CloudEvents 1.0.',
    }),
    nextAfter: z.int().meta({
      description: 'The cursor for the next call. Without events, it is the cursor of this one.',
    }),
  })
  .meta({ id: 'ServiceEventPage' })
export type ServiceEventPageBody = BodyOf<typeof ServiceEventPage>
