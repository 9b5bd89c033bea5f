import { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { BodyOf } from '../edge/body-of.ts'
import { refusals } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { CHALLENGE_PATH, ChallengeId, EXAMPLE_CHALLENGE_ID } from './challenge-id.openapi.ts'
import {
  Consumption,
  Demand,
  Digest,
  IDEMPOTENCY_KEY,
  IDEMPOTENCY_KEY_FIELD,
  OperationType,
  Summary,
} from './schema.ts'

const Instant = z.date()
const TOTP_EMAIL = `/internal/v1/mfa/totp-email/${EXAMPLE_CHALLENGE_ID}`
const JWS = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'
const SUMMARY = [
  { label: 'Amount', value: 'EUR 1,250.00' },
  { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
]
const OPERATION = {
  type: 'payments.initiate',
  digest: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  summary: SUMMARY,
}

const OpenedChallenge = z
  .strictObject({
    challengeId: ChallengeId,
    signature: z.string().meta({
      description:
        'A compact JWS (EdDSA) over challenge id, subject, client, operation and expiry. It goes to the user’s app with the id, and comes back with it.',
    }),
    expiresAt: Instant,
    methods: z
      .array(
        z.strictObject({
          type: z.literal('totp-email'),
          initiate: z.string().meta({ description: 'The path that asks for a code.' }),
          verify: z.string().meta({ description: 'The path that takes it.' }),
        }),
      )
      .meta({ minItems: 1, description: 'The ways to verify the challenge.' }),
  })
  .meta({ id: 'OpenedChallenge' })
export type OpenedChallengeBody = BodyOf<typeof OpenedChallenge>

const Issuance = z
  .strictObject({
    reference: z.string().meta({
      pattern: '^[A-Z]{2}$',
      description: 'Stands in the mail as well, so that a user with two mails knows which code counts.',
    }),
    recipient: z.string().meta({ description: 'The mailbox, masked.' }),
    issuedAt: Instant,
    expiresAt: Instant.meta({ description: 'From when on the code does not count.' }),
    resendAvailableAt: Instant.nullable().meta({
      description:
        'When the next code may be asked for; null if never again for this challenge, or not at this address.',
    }),
    delivery: z.enum(['queued', 'sent', 'delivered', 'bounced', 'failed']).meta({
      description:
        'Where the mail is: waiting; with the mail system; with the recipient’s; come back; given up.',
    }),
    sentAt: Instant.optional(),
    deliveredAt: Instant.optional(),
    bouncedAt: Instant.optional(),
    failedAt: Instant.optional(),
  })
  .meta({ id: 'Issuance', description: 'The newest code of a challenge, without the code.' })

const Challenge = z
  .strictObject({
    challengeId: ChallengeId,
    status: z.enum(['pending', 'verified', 'consumed', 'expired', 'exhausted', 'cancelled']),
    subjectUserId: z.string(),
    operation: z.strictObject({ type: OperationType, summary: Summary }),
    createdAt: Instant,
    expiresAt: Instant,
    attemptsRemaining: z.int().min(0).meta({ description: 'Wrong codes that may still be given.' }),
    issuance: Issuance.nullable().meta({ description: 'Null before the first code.' }),
  })
  .meta({ id: 'Challenge' })
export type ChallengeBody = BodyOf<typeof Challenge>

const ConsumedChallenge = z
  .strictObject({
    challengeId: ChallengeId,
    subjectUserId: z.string(),
    operation: z.strictObject({ type: OperationType, digest: Digest, summary: Summary }),
    verifiedAt: Instant,
    consumedAt: Instant,
    authorisation: z.string().meta({
      description:
        'A compact JWS (EdDSA, `typ` countersign-authorisation+jwt) that anybody holding the keys of `/.well-known/jwks.json` can check for five minutes: `sub` the subject, `aud` the client, `jti` the challenge, `operation`, `amr`, `auth_time`.',
    }),
  })
  .meta({ id: 'ConsumedChallenge' })
export type ConsumptionBody = BodyOf<typeof ConsumedChallenge>

/** Complete, or it does not compile: each kind of event that can be recorded. */
const EVENT_TYPES = Object.keys({
  'challenge-opened': true,
  'otp-issued': true,
  'otp-rejected': true,
  'challenge-verified': true,
  'challenge-exhausted': true,
  'challenge-consumed': true,
  'consumption-refused': true,
  'challenge-cancelled': true,
  'subject-locked': true,
  'lock-notice-sent': true,
  'lock-notice-failed': true,
  'otp-sent': true,
  'otp-deferred': true,
  'otp-failed': true,
  'otp-delivered': true,
  'otp-bounced': true,
  'address-suppressed': true,
  'user-put': true,
  'user-erased': true,
  'suppression-lifted': true,
} satisfies Record<RecordedEvent['type'], true>) as RecordedEvent['type'][]

const Event = z
  .strictObject({
    type: z.enum(EVENT_TYPES),
    occurredAt: Instant,
    actor: z.string().meta({
      description: '`user:<id>`, `client:<id>`, `operator:<what>`, `mail-system` or `service`.',
      examples: ['user:alice'],
    }),
    requestId: z
      .string()
      .nullable()
      .meta({ description: 'The request that was the cause; null if none was.' }),
    remoteAddress: z.string().nullable().meta({ description: 'Where that request came from.' }),
    subjectUserId: z.string(),
    details: z
      .strictObject({
        clientId: z.string(),
        operationType: z.string(),
        issuanceId: z.string(),
        noticeId: z.string(),
        number: z.int().min(1),
        attemptsRemaining: z.int().min(0),
        attempt: z.int().min(1),
        until: Instant,
        reason: z.string(),
        kind: z.string(),
        emailAddressChanged: z.boolean(),
      })
      .partial()
      .meta({ description: 'What there is to say about an event of this type.' }),
  })
  .meta({ id: 'Event', description: 'One decision about a challenge. Nobody can change it.' })
export type EventBody = BodyOf<typeof Event>

const Trail = z.strictObject({
  events: z.array(Event).meta({ description: 'In the order in which they were decided.' }),
})

const IDEMPOTENT = z.object({
  ...REQUEST_HEADERS,
  [IDEMPOTENCY_KEY_FIELD]: z.string().meta({
    param: {
      id: 'IdempotencyKey',
      description:
        'The name that the client gives to this call: the same call again, under the same key, gets the same answer and has no second effect.',
      example: 'transfer-4711',
    },
    pattern: IDEMPOTENCY_KEY.source,
  }),
})

const OPENED = {
  challengeId: EXAMPLE_CHALLENGE_ID,
  signature: JWS,
  expiresAt: '2030-01-01T12:15:00.000Z',
  methods: [{ type: 'totp-email', initiate: `${TOTP_EMAIL}:initiate`, verify: `${TOTP_EMAIL}:verify` }],
}

const CHALLENGES = '/internal/v1/mfa/challenges'
const CHALLENGE = `${CHALLENGES}/{challengeId}`

/** An answer that has the opened challenge and says where it is. */
function opened(description: string) {
  return {
    description,
    headers: z.object({
      ...ANSWER_HEADERS,
      Location: z.string().meta({
        header: { description: 'The path of the challenge.' },
        examples: [`${CHALLENGES}/${EXAMPLE_CHALLENGE_ID}`],
      }),
    }),
    content: { 'application/json': { schema: OpenedChallenge, examples: { opened: { value: OPENED } } } },
  }
}

const openChallenge: ZodOpenApiOperationObject = {
  operationId: 'openChallenge',
  summary: 'Demand a countersignature',
  description:
    'Opens a challenge: a demand that one user countersign one operation before a deadline. Asks for the scope `mfa:challenges:create`.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }],
  requestParams: { header: IDEMPOTENT },
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: Demand.meta({ id: 'Demand' }),
        examples: {
          payment: { value: { subjectUserId: 'alice', operation: OPERATION, expiresInSeconds: 900 } },
        },
      },
    },
  },
  responses: {
    200: opened('The same call was made before: the challenge that it opened.'),
    201: opened('The challenge is open.'),
    ...refusals(
      CHALLENGES,
      [
        'bad-request',
        'operation-malformed',
        'unauthorized',
        'forbidden',
        'body-too-large',
        'body-not-json',
        'idempotency-key-reused',
        'fault',
        'unavailable',
      ],
      {
        fieldFault: {
          code: 'MALFORMED',
          message: 'must be a SHA-256 in base64url, 43 characters',
          field: 'operation.digest',
        },
      },
    ),
  },
}

const readChallenge: ZodOpenApiOperationObject = {
  operationId: 'readChallenge',
  summary: 'See how a challenge stands',
  description:
    'For the client that opened it, and for its subject. To all others there is no such challenge.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }, { userToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'The challenge as it stands.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': {
          schema: Challenge,
          examples: {
            'code-sent': {
              value: {
                challengeId: EXAMPLE_CHALLENGE_ID,
                status: 'pending',
                subjectUserId: 'alice',
                operation: { type: OPERATION.type, summary: SUMMARY },
                createdAt: '2030-01-01T12:00:00.000Z',
                expiresAt: '2030-01-01T12:15:00.000Z',
                attemptsRemaining: 5,
                issuance: {
                  reference: 'QK',
                  recipient: 'a•••@example.com',
                  issuedAt: '2030-01-01T12:00:20.000Z',
                  expiresAt: '2030-01-01T12:05:20.000Z',
                  resendAvailableAt: '2030-01-01T12:00:50.000Z',
                  delivery: 'sent',
                  sentAt: '2030-01-01T12:00:21.000Z',
                },
              },
            },
          },
        },
      },
    },
    ...refusals(CHALLENGE, ['bad-request', 'unauthorized', 'challenge-not-found', 'fault', 'unavailable']),
  },
}

const consumeChallenge: ZodOpenApiOperationObject = {
  operationId: 'consumeChallenge',
  summary: 'Turn the approval into the operation, once',
  description:
    'For the client that opened the challenge, with the scope `mfa:challenges:consume`, once the user has verified it.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: IDEMPOTENT },
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: Consumption.meta({ id: 'Consumption' }),
        examples: { payment: { value: { signature: JWS, digest: OPERATION.digest } } },
      },
    },
  },
  responses: {
    200: {
      description:
        'The approval is consumed, by this call or by the same one before. Carry out the operation.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': {
          schema: ConsumedChallenge,
          examples: {
            payment: {
              value: {
                challengeId: EXAMPLE_CHALLENGE_ID,
                subjectUserId: 'alice',
                operation: OPERATION,
                verifiedAt: '2030-01-01T12:01:00.000Z',
                consumedAt: '2030-01-01T12:01:02.000Z',
                authorisation: JWS,
              },
            },
          },
        },
      },
    },
    ...refusals(
      CHALLENGE,
      [
        'bad-request',
        'unauthorized',
        'forbidden',
        'challenge-not-found',
        'challenge-not-verified',
        'challenge-consumed',
        'challenge-expired',
        'challenge-exhausted',
        'challenge-cancelled',
        'body-too-large',
        'body-not-json',
        'operation-mismatch',
        'idempotency-key-reused',
        'fault',
        'unavailable',
      ],
      { fieldFault: { code: 'NOT_NULL', message: 'must not be null', field: 'digest' } },
    ),
  },
}

const cancelChallenge: ZodOpenApiOperationObject = {
  operationId: 'cancelChallenge',
  summary: 'End a challenge',
  description:
    'For the client that opened it, and for its subject. The request has no body; one that it has all the same is not read.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }, { userToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    204: { description: 'It is cancelled, now or before.', headers: z.object(ANSWER_HEADERS) },
    ...refusals(CHALLENGE, [
      'bad-request',
      'unauthorized',
      'challenge-not-found',
      'challenge-consumed',
      'challenge-expired',
      'challenge-exhausted',
      'fault',
      'unavailable',
    ]),
  },
}

const readEvents: ZodOpenApiOperationObject = {
  operationId: 'readEvents',
  summary: 'Read the audit trail of a challenge',
  description: 'For the client that opened the challenge, with the scope `mfa:audit:read`.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'All that was decided.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': {
          schema: Trail.meta({ id: 'AuditTrail' }),
          examples: {
            'wrong-code': {
              value: {
                events: [
                  {
                    type: 'otp-rejected',
                    occurredAt: '2030-01-01T12:01:00.000Z',
                    actor: 'user:alice',
                    requestId: '5d9c9d5e-6f1f-4c5b-9a57-1b2f0a3f6c1d',
                    remoteAddress: '203.0.113.7',
                    subjectUserId: 'alice',
                    details: { attemptsRemaining: 4 },
                  },
                ],
              },
            },
          },
        },
      },
    },
    ...refusals(CHALLENGE, [
      'bad-request',
      'unauthorized',
      'forbidden',
      'challenge-not-found',
      'fault',
      'unavailable',
    ]),
  },
}

/** What an operation service calls about a challenge: section 2 of the contract. */
export const challengePaths: ZodOpenApiPathsObject = {
  [CHALLENGES]: { post: openChallenge },
  [CHALLENGE]: { get: readChallenge },
  [`${CHALLENGE}:consume`]: { post: consumeChallenge },
  [`${CHALLENGE}:cancel`]: { post: cancelChallenge },
  [`${CHALLENGE}/events`]: { get: readEvents },
}
