import type { DomainErrorCode } from '../../../domain/domain-error.ts'

/** Everything but success that a request can come to: what the domain refuses, and what never reaches it. */
export type ErrorKey =
  | DomainErrorCode
  | 'bad-request'
  | 'body-too-large'
  | 'body-not-json'
  | 'unauthorized'
  | 'forbidden'
  | 'invalid-otp'
  | 'operation-mismatch'
  | 'route-unknown'
  | 'method-unknown'
  | 'fault'
  | 'unavailable'

/** What can be wrong with a field. */
export type FieldFaultCode = 'NOT_NULL' | 'NOT_BLANK' | 'MALFORMED' | 'UNKNOWN'

interface Answer {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** What one of the APIs answers to each outcome, and the family that its codes belong to. */
export interface OutcomeTable {
  readonly family: string
  readonly answers: Readonly<Record<ErrorKey, Answer>>
  /** The code that each kind of field fault has; a kind without one is not told. */
  readonly fieldCodes: Readonly<Partial<Record<FieldFaultCode, string>>>
}

/** Outcomes that mean the same to every caller. */
const COMMON = {
  'bad-request': { status: 400, code: 'BAD_REQUEST', message: 'The request is not valid' },
  'body-too-large': { status: 413, code: 'BAD_REQUEST', message: 'The body is larger than 16 KiB' },
  'body-not-json': {
    status: 415,
    code: 'BAD_REQUEST',
    message: 'The body must be application/json in UTF-8, not compressed',
  },
  unauthorized: { status: 401, code: 'UNAUTHORIZED', message: 'A valid access token is required' },
  forbidden: {
    status: 403,
    code: 'FORBIDDEN',
    message: 'The access token does not give the right to do this',
  },
  'subject-locked': {
    status: 403,
    code: 'FORBIDDEN',
    message: 'Too many wrong codes: step-up is locked for a while',
  },
  'route-unknown': { status: 404, code: 'RESOURCE_UNKNOWN', message: 'There is no such resource' },
  'method-unknown': {
    status: 405,
    code: 'RESOURCE_UNKNOWN',
    message: 'The resource does not know this method',
  },
  fault: { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Internal Server Error' },
  unavailable: {
    status: 503,
    code: 'INTERNAL_SERVER_ERROR',
    message: 'The service is not available for the moment',
  },
} as const satisfies Partial<Record<ErrorKey, Answer>>

/** The user's app is not told how a challenge came to its end. */
const CONTEXT_OVER = {
  status: 400,
  code: 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND',
  message: 'The challenge is over',
} as const satisfies Answer

const INITIATE = {
  ...COMMON,
  'challenge-not-found': { status: 400, code: 'CHALLENGE_NOT_FOUND', message: 'There is no such challenge' },
  'subject-mismatch': {
    status: 400,
    code: 'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
    message: 'The challenge is about another user',
  },
  'user-unreachable': {
    status: 400,
    code: 'USER_NOT_FOUND',
    message: 'The user is unknown or has no usable e-mail address',
  },
  'challenge-expired': CONTEXT_OVER,
  'challenge-verified': CONTEXT_OVER,
  'challenge-consumed': CONTEXT_OVER,
  'challenge-exhausted': CONTEXT_OVER,
  'challenge-cancelled': CONTEXT_OVER,
  'issuance-too-soon': { status: 429, code: 'BAD_REQUEST', message: 'A code was sent a moment ago' },
  'issuances-spent': { status: 429, code: 'BAD_REQUEST', message: 'Too many codes were sent' },
  'invalid-otp': { status: 400, code: 'INVALID_OTP', message: 'The code is not valid' },
  // Rules of the operation services' routes. That one of them failed here would be our mistake.
  'email-address-malformed': COMMON.fault,
  'challenge-not-verified': COMMON.fault,
  'idempotency-key-reused': COMMON.fault,
  'operation-malformed': COMMON.fault,
  'operation-mismatch': COMMON.fault,
  'user-malformed': COMMON.fault,
  'user-not-found': COMMON.fault,
} as const satisfies Record<ErrorKey, Answer>

/**
 * The published contract of the user's app. Its codes and the statuses it names (400, 410, 500) are given; which
 * code goes with which status is ours, and this table is the one place that says so.
 */
const INITIATE_OUTCOMES: OutcomeTable = {
  family: 'urn:plmr:mfa-totp:api',
  answers: INITIATE,
  // The contract has two: a `totp` that is not a string at all is the nearer to one that is blank.
  fieldCodes: { NOT_NULL: 'NOT_NULL', NOT_BLANK: 'NOT_BLANK', MALFORMED: 'NOT_BLANK' },
}

const VERIFY_OUTCOMES: OutcomeTable = {
  ...INITIATE_OUTCOMES,
  answers: {
    ...INITIATE,
    'challenge-expired': { ...CONTEXT_OVER, status: 410 },
    'challenge-verified': { ...CONTEXT_OVER, status: 410 },
    'challenge-consumed': { ...CONTEXT_OVER, status: 410 },
    'challenge-exhausted': { ...CONTEXT_OVER, status: 410 },
    'challenge-cancelled': { ...CONTEXT_OVER, status: 410 },
  },
}

/** The routes of the operation services. */
const OPERATION_SERVICE_OUTCOMES: OutcomeTable = {
  family: 'urn:plmr:mfa-challenge:api',
  fieldCodes: { NOT_NULL: 'NOT_NULL', NOT_BLANK: 'NOT_BLANK', MALFORMED: 'MALFORMED', UNKNOWN: 'UNKNOWN' },
  answers: {
    ...INITIATE,
    'challenge-not-found': { ...INITIATE['challenge-not-found'], status: 404 },
    'challenge-not-verified': {
      status: 409,
      code: 'CHALLENGE_NOT_VERIFIED',
      message: 'The challenge is not verified yet',
    },
    'challenge-consumed': {
      status: 409,
      code: 'CHALLENGE_ALREADY_CONSUMED',
      message: 'The challenge was consumed before',
    },
    'challenge-expired': { status: 410, code: 'CHALLENGE_EXPIRED', message: 'The challenge has expired' },
    'challenge-exhausted': {
      status: 410,
      code: 'CHALLENGE_EXHAUSTED',
      message: 'The challenge was ended by wrong codes',
    },
    'challenge-cancelled': {
      status: 410,
      code: 'CHALLENGE_CANCELLED',
      message: 'The challenge was cancelled',
    },
    'operation-mismatch': {
      status: 422,
      code: 'OPERATION_DOES_NOT_MATCH_CHALLENGE',
      message: 'The digest or the signature is not that of this challenge',
    },
    'user-not-found': { status: 404, code: 'USER_NOT_FOUND', message: 'There is no such user' },
    'email-address-malformed': COMMON['bad-request'],
    'operation-malformed': COMMON['bad-request'],
    'user-malformed': COMMON['bad-request'],
    'idempotency-key-reused': {
      status: 422,
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: 'The idempotency key was used with another request',
    },
  },
}

/** What mail systems call. */
const WEBHOOK_OUTCOMES: OutcomeTable = {
  ...OPERATION_SERVICE_OUTCOMES,
  answers: {
    ...OPERATION_SERVICE_OUTCOMES.answers,
    'body-too-large': { ...COMMON['body-too-large'], message: 'The body is larger than 64 KiB' },
    unauthorized: { ...COMMON.unauthorized, message: 'The user and password of this webhook are required' },
  },
}

/** The table that a path is answered by, also where no route matches it. */
export function outcomesOf(path: string): OutcomeTable {
  if (path.startsWith('/webhooks/')) return WEBHOOK_OUTCOMES
  if (/^\/internal\/v1\/mfa\/(?:challenges|users)(?:$|[/:])/.test(path)) return OPERATION_SERVICE_OUTCOMES
  return path.endsWith(':verify') ? VERIFY_OUTCOMES : INITIATE_OUTCOMES
}
