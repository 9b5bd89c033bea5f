import type { DomainErrorCode } from '../../../domain/domain-error.ts'
import { CHALLENGES, EVENTS, USERS, WEBHOOKS } from '../paths.ts'

/** Every way in which a request can fail: by a rule of the domain, or before it reaches the domain. */
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
  | 'colon-encoded'
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

/** How one of the APIs answers each error. */
export interface ErrorTable {
  /** The prefix of its codes. */
  readonly family: string
  readonly answers: Readonly<Record<ErrorKey, Answer>>
  /** The code of each kind of field fault. Faults of a kind without a code are left out of the answer. */
  readonly fieldCodes: Readonly<Partial<Record<FieldFaultCode, string>>>
}

/** Errors that mean the same to every caller. */
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
    message: 'The access token does not allow this',
  },
  'subject-locked': {
    status: 403,
    code: 'FORBIDDEN',
    message: 'Too many wrong codes: step-up is locked for some time',
  },
  'route-unknown': { status: 404, code: 'RESOURCE_UNKNOWN', message: 'There is no such resource' },
  'colon-encoded': {
    status: 404,
    code: 'RESOURCE_UNKNOWN',
    message: 'There is no such resource. Send the colon in the path as it is, not as %3A',
  },
  'method-unknown': {
    status: 405,
    code: 'RESOURCE_UNKNOWN',
    message: 'The resource does not support this method',
  },
  fault: { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Internal Server Error' },
  unavailable: {
    status: 503,
    code: 'INTERNAL_SERVER_ERROR',
    message: 'The service is temporarily unavailable',
  },
} as const satisfies Partial<Record<ErrorKey, Answer>>

/** Does not say how the challenge ended: the user's app does not need to know. */
const CONTEXT_OVER = {
  status: 400,
  code: 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND',
  message: 'The challenge is over',
} as const satisfies Answer

const INITIATE_ANSWERS = {
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
  'address-held': {
    status: 429,
    code: 'BAD_REQUEST',
    message: 'The e-mail address was changed a short time ago, and gets no codes yet',
  },
  'issuances-spent': { status: 429, code: 'BAD_REQUEST', message: 'Too many codes were sent' },
  'invalid-otp': { status: 400, code: 'INVALID_OTP', message: 'The code is not valid' },
  // Only the routes of the operation services apply these rules, so one of them here is a defect of ours.
  'email-address-malformed': COMMON.fault,
  'challenge-not-verified': COMMON.fault,
  'idempotency-key-reused': COMMON.fault,
  'live-challenges-spent': COMMON.fault,
  'operation-malformed': COMMON.fault,
  'operation-mismatch': COMMON.fault,
  'user-malformed': COMMON.fault,
  'user-not-found': COMMON.fault,
  'webhook-configured': COMMON.fault,
  'webhook-malformed': COMMON.fault,
  'webhook-not-found': COMMON.fault,
} as const satisfies Record<ErrorKey, Answer>

/**
 * The published contract of the user's app. It fixes the codes, and the statuses 400, 410 and 500. It does not say
 * which code goes with which status: we chose that, and this table is the only place that says so.
 */
export const INITIATE_ERRORS: ErrorTable = {
  family: 'urn:plmr:mfa-totp:api',
  answers: INITIATE_ANSWERS,
  // The contract has two codes. A `totp` that is not a string is closer to a blank one than to a missing one.
  fieldCodes: { NOT_NULL: 'NOT_NULL', NOT_BLANK: 'NOT_BLANK', MALFORMED: 'NOT_BLANK' },
}

/** As for `:initiate`, except that a challenge that is over is a 410. */
export const VERIFY_ERRORS: ErrorTable = {
  ...INITIATE_ERRORS,
  answers: {
    ...INITIATE_ANSWERS,
    'challenge-expired': { ...CONTEXT_OVER, status: 410 },
    'challenge-verified': { ...CONTEXT_OVER, status: 410 },
    'challenge-consumed': { ...CONTEXT_OVER, status: 410 },
    'challenge-exhausted': { ...CONTEXT_OVER, status: 410 },
    'challenge-cancelled': { ...CONTEXT_OVER, status: 410 },
  },
}

/** The routes that operation services and the owners of the users call. */
export const OPERATION_SERVICE_ERRORS: ErrorTable = {
  family: 'urn:plmr:mfa-challenge:api',
  fieldCodes: { NOT_NULL: 'NOT_NULL', NOT_BLANK: 'NOT_BLANK', MALFORMED: 'MALFORMED', UNKNOWN: 'UNKNOWN' },
  answers: {
    ...INITIATE_ANSWERS,
    'challenge-not-found': { ...INITIATE_ANSWERS['challenge-not-found'], status: 404 },
    'challenge-not-verified': {
      status: 409,
      code: 'CHALLENGE_NOT_VERIFIED',
      message: 'The challenge is not verified yet',
    },
    'challenge-consumed': {
      status: 409,
      code: 'CHALLENGE_ALREADY_CONSUMED',
      message: 'The challenge was already consumed',
    },
    'challenge-expired': { status: 410, code: 'CHALLENGE_EXPIRED', message: 'The challenge has expired' },
    'challenge-exhausted': {
      status: 410,
      code: 'CHALLENGE_EXHAUSTED',
      message: 'The challenge ended after too many wrong codes',
    },
    'challenge-cancelled': {
      status: 410,
      code: 'CHALLENGE_CANCELLED',
      message: 'The challenge was cancelled',
    },
    'operation-mismatch': {
      status: 422,
      code: 'OPERATION_DOES_NOT_MATCH_CHALLENGE',
      message: 'The digest or the signature does not belong to this challenge',
    },
    'live-challenges-spent': {
      status: 429,
      code: 'TOO_MANY_CHALLENGES',
      message: 'The user has too many open challenges',
    },
    'user-not-found': { status: 404, code: 'USER_NOT_FOUND', message: 'There is no such user' },
    'email-address-malformed': COMMON['bad-request'],
    'operation-malformed': COMMON['bad-request'],
    'user-malformed': COMMON['bad-request'],
    'webhook-malformed': COMMON['bad-request'],
    'webhook-not-found': {
      status: 404,
      code: 'WEBHOOK_NOT_FOUND',
      message: 'The client has no webhook endpoint',
    },
    'webhook-configured': {
      status: 409,
      code: 'WEBHOOK_CONFIGURED',
      message: 'The operator has registered the webhook endpoint, and only the configuration changes it',
    },
    'idempotency-key-reused': {
      status: 422,
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: 'The idempotency key was used for a different request',
    },
  },
}

/** The webhooks that mail systems call. They name no fields: no person reads the answer. */
export const WEBHOOK_ERRORS: ErrorTable = {
  ...OPERATION_SERVICE_ERRORS,
  fieldCodes: {},
  answers: {
    ...OPERATION_SERVICE_ERRORS.answers,
    'body-too-large': { ...COMMON['body-too-large'], message: 'The body is larger than 64 KiB' },
    unauthorized: { ...COMMON.unauthorized, message: 'The user and password of this webhook are required' },
  },
}

/** Paths outside both contracts, such as `/readyz`. Their codes are of the family of the user's app. */
export const SERVICE_ERRORS: ErrorTable = { ...INITIATE_ERRORS }

const OPERATION_SERVICE_PATH = new RegExp(`^(?:${CHALLENGES}|${USERS}|${WEBHOOKS}|${EVENTS})(?:$|[/:])`)

/** The table for a request that matched no route: that of the resource whose path is the nearest. */
export function errorTableNear(path: string): ErrorTable {
  if (path.startsWith('/webhooks/')) return WEBHOOK_ERRORS
  return OPERATION_SERVICE_PATH.test(path) ? OPERATION_SERVICE_ERRORS : SERVICE_ERRORS
}
