import { z } from 'zod'
import type { ZodOpenApiPathsObject } from 'zod-openapi'
import type { BodyOf } from '../edge/body-of.ts'
import { SERVICE_ERRORS } from '../edge/error-table.ts'
import { TotpError } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS, RetryAfter } from '../edge/headers.openapi.ts'
import { HEALTHZ, JWKS, READYZ } from '../paths.ts'

const Alive = z.strictObject({ status: z.literal('alive') }).meta({ id: 'Alive' })
export type AliveBody = BodyOf<typeof Alive>

const Checks = z.record(z.string(), z.string()).meta({
  description:
    'What the service needs in order to serve, by name: `ok`, `ok: ` and a remark, or what is wrong.',
})

const Ready = z.strictObject({ status: z.literal('ready'), checks: Checks }).meta({ id: 'Ready' })
export type ReadyBody = BodyOf<typeof Ready>

const NotReady = TotpError.extend({ checks: Checks }).meta({
  id: 'NotReady',
  description: 'An error and the checks that caused it.',
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
const UNAVAILABLE = SERVICE_ERRORS.answers.unavailable.message

const notReadyExample = (database: string) => ({
  value: {
    code: 'urn:plmr:mfa-totp:api:INTERNAL_SERVER_ERROR',
    message: UNAVAILABLE,
    requestId: '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d',
    checks: { database, deliverer: 'ok' },
  },
})

/** The operations for operators, and for those who check our signatures. */
export const servicePaths: ZodOpenApiPathsObject = {
  [HEALTHZ]: {
    get: {
      operationId: 'isAlive',
      summary: 'Check that the process is alive',
      description: 'Does not check the database: a restart of this process would not repair it.',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'The process is alive.',
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
      summary: 'Check that the instance can serve',
      description:
        'Checks that the database answers and has every migration, that the deliverer runs, and that the issuer of access tokens has given its keys. While the issuer is away later, its last keys still count for a day, and the instance stays ready. A report is reused for one second. The texts of `checks` are for people. A silent database is `the database does not answer`. One that refuses is `the database refuses connections (ECONNREFUSED)`, or with another code.',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'The instance can serve requests.',
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
          description: `- \`INTERNAL_SERVER_ERROR\`: ${UNAVAILABLE}`,
          headers: z.object({ ...ANSWER_HEADERS, 'Retry-After': RetryAfter }),
          content: {
            'application/json': {
              schema: NotReady,
              examples: {
                'no-database': notReadyExample('the database does not answer'),
                'database-refuses': notReadyExample('the database refuses connections (ECONNREFUSED)'),
              },
            },
          },
        },
      },
    },
  },
  [JWKS]: {
    get: {
      operationId: 'readKeys',
      summary: 'Read the public keys that verify our signatures',
      description: 'A JWK set (RFC 7517). It verifies the signatures of challenges and authorisations.',
      tags: ['Service'],
      security: [],
      requestParams: REQUEST,
      responses: {
        200: {
          description: 'The active key first, then the keys that were rotated out.',
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
