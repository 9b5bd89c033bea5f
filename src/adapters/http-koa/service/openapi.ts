import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import type { BodyOf } from '../edge/body-of.ts'
import { TotpError } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS, RetryAfter } from '../edge/headers.openapi.ts'

const Alive = z.strictObject({ status: z.literal('alive') }).meta({ id: 'Alive' })
export type AliveBody = BodyOf<typeof Alive>

const Checks = z
  .record(z.string(), z.string())
  .meta({ description: 'What the service needs in order to serve: `ok`, or what is wrong with it.' })

const Ready = z.strictObject({ status: z.literal('ready'), checks: Checks }).meta({ id: 'Ready' })
export type ReadyBody = BodyOf<typeof Ready>

const NotReady = TotpError.extend({ checks: Checks }).meta({
  id: 'NotReady',
  description: 'An error, and what it comes from.',
})
export type NotReadyBody = BodyOf<typeof NotReady>

const Jwks = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string().meta({ pattern: '^[A-Za-z0-9_-]{43}$' }),
        kid: z.string(),
        use: z.literal('sig'),
        alg: z.literal('EdDSA'),
      }),
    ),
  })
  .meta({ id: 'JwkSet', description: 'A JWK Set (RFC 7517).' })

const REQUEST = { header: z.object(REQUEST_HEADERS) }
const READYZ = '/readyz'

/** What those who run the service and those who check its signatures ask for. */
export const servicePaths: ZodOpenApiPathsObject = {
  '/healthz': {
    get: {
      operationId: 'isAlive',
      summary: 'Whether the process lives',
      description: 'Asks nothing of the database: to restart this process would not mend that.',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'It lives.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': { schema: Alive, examples: { alive: { value: { status: 'alive' } } } },
          },
        },
      },
    },
  },
  [READYZ]: {
    get: {
      operationId: 'isReady',
      summary: 'Whether the instance can serve',
      description: 'The database answers and has every migration, and the deliverer runs.',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'It can.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': {
              schema: Ready,
              examples: {
                ready: { value: { status: 'ready', checks: { database: 'ok', deliverer: 'ok' } } },
              },
            },
          },
        },
        503: {
          description: '- `INTERNAL_SERVER_ERROR`: The service is not available for the moment',
          headers: z.object({ ...ANSWER_HEADERS, 'Retry-After': RetryAfter }),
          content: {
            'application/json': {
              schema: NotReady,
              examples: {
                'no-database': {
                  value: {
                    code: 'urn:plmr:mfa-totp:api:INTERNAL_SERVER_ERROR',
                    message: 'The service is not available for the moment',
                    requestId: '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d',
                    checks: { database: 'the database does not answer', deliverer: 'ok' },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  '/.well-known/jwks.json': {
    get: {
      operationId: 'readKeys',
      summary: 'The public keys that our signatures verify with',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'The active key first, then those that were rotated out.',
          headers: z.object(ANSWER_HEADERS),
          content: {
            'application/json': {
              schema: Jwks,
              examples: {
                'one-key': {
                  value: {
                    keys: [
                      {
                        crv: 'Ed25519',
                        x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
                        kty: 'OKP',
                        kid: 's1',
                        use: 'sig',
                        alg: 'EdDSA',
                      },
                    ],
                  },
                },
              },
            },
          },
        },
      },
    },
  },
}
