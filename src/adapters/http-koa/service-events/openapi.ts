import { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import { type ErrorKey, OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { type ErrorDetails, errorResponses } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { EVENTS, WEBHOOKS } from '../paths.ts'
import { Identity } from '../users/schema.ts'
import { ServiceEventPage, SharedWebhookEndpoint, WebhookEndpoint } from './bodies.openapi.ts'
import { EventsQuery, SecretRotation, WebhookDemand } from './schema.ts'

const WEBHOOK = `${WEBHOOKS}/{clientId}`

const REQUEST = {
  path: z.object({
    clientId: Identity.meta({
      param: {
        id: 'ClientId',
        description:
          'The client of the access token, percent-encoded. Another client’s endpoint is forbidden.',
        example: 'payments',
      },
    }),
  }),
  header: z.object(REQUEST_HEADERS),
}
const OWN = 'Needs the scope `mfa:webhooks:write`. A client may do so for itself alone.'

const ENDPOINT = {
  clientId: 'payments',
  url: 'https://payments.bank.example/countersign-events',
  pausedAt: null,
  registeredBy: 'service',
  previousSecretSigns: false,
}
const SECRET = 'whsec_T1e4SZrHeOmx9bdx4+1/QI5qJsqzqp6+4/fJ/qQLYBM='

/** Every operation here can fail so. */
const COMMON: readonly ErrorKey[] = ['unauthorized', 'forbidden', 'fault', 'unavailable']

const errors = (keys: readonly ErrorKey[], details?: ErrorDetails) =>
  errorResponses(OPERATION_SERVICE_ERRORS, [...keys, ...COMMON], details)

const withSecret = (description: string, endpoint = ENDPOINT) => ({
  description,
  headers: z.object(ANSWER_HEADERS),
  content: {
    'application/json': {
      schema: SharedWebhookEndpoint,
      examples: { payments: { value: { ...endpoint, secret: SECRET } } },
    },
  },
})

const putWebhook: ZodOpenApiOperationObject = {
  operationId: 'putWebhook',
  summary: 'Register an endpoint for events',
  description: `${OWN} From then on the service stores the events of the client’s challenges, and sends them to the URL, signed by Standard Webhooks. A repeat has no second effect, returns the same secret, and resumes paused deliveries.`,
  tags: ['Service events'],
  security: [{ serviceToken: [] }],
  requestParams: REQUEST,
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: WebhookDemand.meta({ id: 'WebhookDemand' }),
        examples: { payments: { value: { url: ENDPOINT.url } } },
      },
    },
  },
  responses: {
    200: withSecret('The endpoint was registered before, and is now as asked for.'),
    201: withSecret('The endpoint was registered.'),
    ...errors(['bad-request', 'webhook-malformed', 'webhook-configured', 'body-too-large', 'body-not-json'], {
      fieldFault: { code: 'MALFORMED', message: 'must be an https:// URL', field: 'url' },
    }),
  },
}

const readWebhook: ZodOpenApiOperationObject = {
  operationId: 'readWebhook',
  summary: 'Read an endpoint',
  description: `${OWN} Returns no secret.`,
  tags: ['Service events'],
  security: [{ serviceToken: [] }],
  requestParams: REQUEST,
  responses: {
    200: {
      description: 'The endpoint.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': { schema: WebhookEndpoint, examples: { payments: { value: ENDPOINT } } },
      },
    },
    ...errors(['webhook-not-found']),
  },
}

const removeWebhook: ZodOpenApiOperationObject = {
  operationId: 'removeWebhook',
  summary: 'Remove an endpoint',
  description: `${OWN} From then on the service stores no events for the client.`,
  tags: ['Service events'],
  security: [{ serviceToken: [] }],
  requestParams: REQUEST,
  responses: {
    204: { description: 'The endpoint was removed, or did not exist.', headers: z.object(ANSWER_HEADERS) },
    ...errors(['webhook-configured']),
  },
}

const rotateWebhookSecret: ZodOpenApiOperationObject = {
  operationId: 'rotateWebhookSecret',
  summary: 'Get another secret',
  description: `${OWN} Each call makes a new secret. If the answer is lost, ask \`putWebhook\` for the secret: a second call would end the one that is in use.`,
  tags: ['Service events'],
  security: [{ serviceToken: [] }],
  requestParams: REQUEST,
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: SecretRotation.meta({ id: 'SecretRotation' }),
        examples: { 'in-time': { value: {} }, leaked: { value: { keepPrevious: false } } },
      },
    },
  },
  responses: {
    200: withSecret('The endpoint with its new secret.', { ...ENDPOINT, previousSecretSigns: true }),
    ...errors(['bad-request', 'webhook-not-found', 'body-too-large', 'body-not-json'], {
      fieldFault: { code: 'MALFORMED', message: 'must be a boolean', field: 'keepPrevious' },
    }),
  },
}

const CHALLENGE_ID = '0197a000-0000-7000-8000-0000000000c1'

const readServiceEvents: ZodOpenApiOperationObject = {
  operationId: 'readServiceEvents',
  summary: 'Read the events of a client',
  description:
    'Needs the scope `mfa:events:read`. Returns the events of the client’s own challenges, in their order, whether or not they were sent. A service that was down reads here what it missed. `WEBHOOK_NOT_FOUND` means that nobody has registered an endpoint, so that no events are stored.',
  tags: ['Service events'],
  security: [{ serviceToken: [] }],
  requestParams: { query: EventsQuery, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'The events after the cursor, and the cursor for the next call.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': {
          schema: ServiceEventPage,
          examples: {
            'wrong-code': {
              value: {
                events: [
                  {
                    specversion: '1.0',
                    id: '0197a000-0000-7000-8000-0000000000e1',
                    source: '/internal/v1/mfa/challenges',
                    type: 'countersign.otp-rejected',
                    subject: CHALLENGE_ID,
                    time: '2030-01-01T12:01:00.000Z',
                    datacontenttype: 'application/json',
                    data: {
                      attemptsRemaining: 4,
                      challengeId: CHALLENGE_ID,
                      clientId: 'payments',
                      subjectUserId: 'alice',
                      position: 4712,
                    },
                  },
                ],
                nextAfter: 4712,
              },
            },
          },
        },
      },
    },
    ...errors(['bad-request', 'webhook-not-found'], {
      fieldFault: { code: 'MALFORMED', message: 'must be a position, as in `nextAfter`', field: 'after' },
    }),
  },
}

/** Where services get the events of their challenges. */
export const serviceEventPaths: ZodOpenApiPathsObject = {
  [WEBHOOK]: { put: putWebhook, get: readWebhook, delete: removeWebhook },
  [`${WEBHOOK}:rotateSecret`]: { post: rotateWebhookSecret },
  [EVENTS]: { get: readServiceEvents },
}
