import { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi'
import { OPERATION_SERVICE_ERRORS } from '../edge/error-table.ts'
import { errorResponses } from '../edge/errors.openapi.ts'
import { ANSWER_HEADERS, REQUEST_HEADERS } from '../edge/headers.openapi.ts'
import { CHALLENGES, TOTP_EMAIL } from '../paths.ts'
import { Challenge, ChallengePage, ConsumedChallenge, OpenedChallenge, Trail } from './bodies.openapi.ts'
import { CHALLENGE_PATH, EXAMPLE_CHALLENGE_ID } from './challenge-id.openapi.ts'
import { ChallengeQuery, Consumption, Demand, IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_FIELD } from './schema.ts'

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

const IDEMPOTENT = z.object({
  ...REQUEST_HEADERS,
  [IDEMPOTENCY_KEY_FIELD]: z.string().meta({
    param: {
      id: 'IdempotencyKey',
      description:
        'A name that the client chooses for this call: 1 to 255 visible ASCII characters. The same call under the same key gets the same answer and has no second effect.',
      example: 'transfer-4711',
    },
    pattern: IDEMPOTENCY_KEY.source,
  }),
})

const OPENED = {
  challengeId: EXAMPLE_CHALLENGE_ID,
  signature: JWS,
  expiresAt: '2030-01-01T12:15:00.000Z',
  methods: [
    {
      type: 'totp-email',
      initiate: `${TOTP_EMAIL}/${EXAMPLE_CHALLENGE_ID}:initiate`,
      verify: `${TOTP_EMAIL}/${EXAMPLE_CHALLENGE_ID}:verify`,
    },
  ],
}

const CHALLENGE = `${CHALLENGES}/{challengeId}`

/** An answer with the opened challenge and its path. */
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
    'Opens a challenge: a demand that one user countersign one operation before a deadline. Needs the scope `mfa:challenges:create`.',
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
    200: opened('The same call was made before. This is the challenge that it opened.'),
    201: opened('The challenge was opened.'),
    ...errorResponses(
      OPERATION_SERVICE_ERRORS,
      [
        'bad-request',
        'operation-malformed',
        'unauthorized',
        'forbidden',
        'body-too-large',
        'body-not-json',
        'idempotency-key-reused',
        'live-challenges-spent',
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

const listChallenges: ZodOpenApiOperationObject = {
  operationId: 'listChallenges',
  summary: 'List the challenges of a user',
  description:
    'For the support, whichever client opened the challenges. Needs the scope `mfa:support:read`. A challenge that is opened meanwhile moves no other one to another page.',
  tags: ['Support'],
  security: [{ serviceToken: [] }],
  requestParams: { query: ChallengeQuery, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'A page of the challenges. It is empty for a user without any.',
      headers: z.object(ANSWER_HEADERS),
      content: {
        'application/json': {
          schema: ChallengePage,
          examples: {
            'last-page': {
              value: {
                challenges: [
                  {
                    challengeId: EXAMPLE_CHALLENGE_ID,
                    status: 'exhausted',
                    clientId: 'payments',
                    subjectUserId: 'alice',
                    operation: { type: OPERATION.type },
                    createdAt: '2030-01-01T12:00:00.000Z',
                    expiresAt: '2030-01-01T12:15:00.000Z',
                    attemptsRemaining: 0,
                    issuanceCount: 1,
                    issuance: {
                      reference: 'QK',
                      recipient: 'a•••@example.com',
                      issuedAt: '2030-01-01T12:00:20.000Z',
                      expiresAt: '2030-01-01T12:05:20.000Z',
                      delivery: 'delivered',
                      sentAt: '2030-01-01T12:00:21.000Z',
                      deliveredAt: '2030-01-01T12:00:23.000Z',
                    },
                  },
                ],
                next: null,
              },
            },
          },
        },
      },
    },
    ...errorResponses(
      OPERATION_SERVICE_ERRORS,
      ['bad-request', 'unauthorized', 'forbidden', 'fault', 'unavailable'],
      { fieldFault: { code: 'NOT_NULL', message: 'must not be null', field: 'subjectUserId' } },
    ),
  },
}

const readChallenge: ZodOpenApiOperationObject = {
  operationId: 'readChallenge',
  summary: 'Read the state of a challenge',
  description:
    'For the client that opened the challenge and for its subject. All other callers get `CHALLENGE_NOT_FOUND`.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }, { userToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'The challenge in its present state.',
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
                brand: {
                  name: 'Bank B',
                  color: '#7a1f2b',
                  textColor: '#ffffff',
                  logoUrl: 'https://b.example/logo.png',
                },
                issuance: {
                  reference: 'QK',
                  recipient: 'a•••@example.com',
                  issuedAt: '2030-01-01T12:00:20.000Z',
                  expiresAt: '2030-01-01T12:05:20.000Z',
                  resendAvailableAt: '2030-01-01T12:00:50.000Z',
                  codeDigits: 6,
                  delivery: 'sent',
                  sentAt: '2030-01-01T12:00:21.000Z',
                },
              },
            },
          },
        },
      },
    },
    ...errorResponses(OPERATION_SERVICE_ERRORS, [
      'bad-request',
      'unauthorized',
      'forbidden',
      'challenge-not-found',
      'fault',
      'unavailable',
    ]),
  },
}

const consumeChallenge: ZodOpenApiOperationObject = {
  operationId: 'consumeChallenge',
  summary: 'Use the approval, once',
  description:
    'For the client that opened the challenge. Needs the scope `mfa:challenges:consume`. Call it after the user has verified the challenge, right before you carry out the operation. The third call with the digest of another operation ends the challenge; the same call again counts once.',
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
      description: 'This call, or the same call before, consumed the approval. Carry out the operation.',
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
    ...errorResponses(
      OPERATION_SERVICE_ERRORS,
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
  summary: 'Cancel a challenge',
  description:
    'For the client that opened the challenge and for its subject. The request needs no body; if it has one, it is not read.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }, { userToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    204: {
      description: 'The challenge is cancelled, by this call or before it.',
      headers: z.object(ANSWER_HEADERS),
    },
    ...errorResponses(OPERATION_SERVICE_ERRORS, [
      'bad-request',
      'unauthorized',
      'forbidden',
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
  description: 'For the client that opened the challenge. Needs the scope `mfa:audit:read`.',
  tags: ['Challenges'],
  security: [{ serviceToken: [] }],
  requestParams: { path: CHALLENGE_PATH, header: z.object(REQUEST_HEADERS) },
  responses: {
    200: {
      description: 'Every decision about the challenge.',
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
    ...errorResponses(OPERATION_SERVICE_ERRORS, [
      'bad-request',
      'unauthorized',
      'forbidden',
      'challenge-not-found',
      'fault',
      'unavailable',
    ]),
  },
}

/** The operations on a challenge that an operation service calls: section 2 of the contract. And the list for the support. */
export const challengePaths: ZodOpenApiPathsObject = {
  [CHALLENGES]: { post: openChallenge, get: listChallenges },
  [CHALLENGE]: { get: readChallenge },
  [`${CHALLENGE}:consume`]: { post: consumeChallenge },
  [`${CHALLENGE}:cancel`]: { post: cancelChallenge },
  [`${CHALLENGE}/events`]: { get: readEvents },
}
