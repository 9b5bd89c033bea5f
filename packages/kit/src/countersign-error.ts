/** Every code that the service answers with, without the prefix that names its API, such as `urn:plmr:mfa-challenge:api:`. */
export const ANSWERED_CODES = [
  'BAD_REQUEST',
  'CHALLENGE_ALREADY_CONSUMED',
  'CHALLENGE_CANCELLED',
  'CHALLENGE_EXHAUSTED',
  'CHALLENGE_EXPIRED',
  'CHALLENGE_NOT_FOUND',
  'CHALLENGE_NOT_VERIFIED',
  'FORBIDDEN',
  'IDEMPOTENCY_KEY_REUSED',
  'INTERNAL_SERVER_ERROR',
  'INVALID_OTP',
  'OPERATION_DOES_NOT_MATCH_CHALLENGE',
  'RESOURCE_UNKNOWN',
  'STEP_UP_REQUEST_CONTEXT_NOT_FOUND',
  'TOO_MANY_CHALLENGES',
  'UNAUTHORIZED',
  'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
  'USER_NOT_FOUND',
  'WEBHOOK_CONFIGURED',
  'WEBHOOK_NOT_FOUND',
] as const

/** Every code that a field can have. */
export const FIELD_CODES = ['MALFORMED', 'NOT_BLANK', 'NOT_NULL', 'UNKNOWN'] as const

/**
 * Why a call failed, and whether the same call can succeed later. The client itself has already repeated a call if that
 * can help within seconds.
 *
 * | code | meaning | retry? |
 * |---|---|---|
 * | `BAD_REQUEST` | the request is not valid: see `fieldErrors`; with `status` 429, too many codes | no; with 429, after `retryAfterInSeconds` |
 * | `CHALLENGE_ALREADY_CONSUMED` | the approval was consumed under another idempotency key | no |
 * | `CHALLENGE_CANCELLED` | the challenge was cancelled, by the client, the user or a changed address | no: open a new one |
 * | `CHALLENGE_EXHAUSTED` | wrong codes ended the challenge | no: open a new one |
 * | `CHALLENGE_EXPIRED` | the challenge is past its time | no: open a new one |
 * | `CHALLENGE_NOT_FOUND` | no such challenge, or another client's | no |
 * | `CHALLENGE_NOT_VERIFIED` | the user has not entered the right code yet | once the user has |
 * | `FORBIDDEN` | the access token lacks the scope; with `retryAfterInSeconds`, wrong codes have locked the user | no; once the lock has ended |
 * | `IDEMPOTENCY_KEY_REUSED` | the idempotency key was used with another request | no: use a new key |
 * | `INTERNAL_SERVER_ERROR` | the service failed (500), or is temporarily unavailable (503) | later, under the same idempotency key |
 * | `INVALID_OTP` | the code is wrong: see `guessesLeft` | with another code |
 * | `OPERATION_DOES_NOT_MATCH_CHALLENGE` | the digest or the signature is not that of the challenge | no: the request has changed |
 * | `RESOURCE_UNKNOWN` | no such path, or the service does not support the call | no: check `baseUrl` |
 * | `STEP_UP_REQUEST_CONTEXT_NOT_FOUND` | the challenge is over, for a call with the user's token | no: open a new one |
 * | `TOO_MANY_CHALLENGES` | the user has as many open challenges of this client as the service allows | after `retryAfterInSeconds` |
 * | `UNAUTHORIZED` | the service does not accept the access token | no: check issuer, audience and lifetime |
 * | `USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID` | the user's token is not the subject's | no |
 * | `USER_NOT_FOUND` | the directory has no such user, or no address that may get mail | once the user is in the directory |
 * | `WEBHOOK_CONFIGURED` | the operator has registered the endpoint, and only the configuration changes it | no: ask the operator |
 * | `WEBHOOK_NOT_FOUND` | the client has no endpoint, so that no events are stored for it | once `putWebhook` has registered one |
 * | `UNREACHABLE` | no answer, or none in time; the service may have carried out the call | later, under the same idempotency key |
 * | `TOKEN_UNAVAILABLE` | no access token; nothing was sent | later |
 * | `UNEXPECTED` | something answered that is not the service, or a newer one | no: check `baseUrl` and what is in between |
 */
export type CountersignErrorCode =
  | (typeof ANSWERED_CODES)[number]
  | 'UNREACHABLE'
  | 'TOKEN_UNAVAILABLE'
  | 'UNEXPECTED'

/** One field of a request that is not valid. */
export interface FieldError {
  /** `NOT_NULL`: missing. `NOT_BLANK`: empty. `MALFORMED`: of another form or length. `UNKNOWN`: the service knows no such field. */
  readonly code: (typeof FIELD_CODES)[number] | 'UNEXPECTED'
  /** The field of the body, as in `operation.summary[0].label`, or the name of a header. */
  readonly field: string
}

/** What a {@link CountersignError} says beside its code. */
export interface CountersignErrorDetails {
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly fieldErrors?: readonly FieldError[]
  readonly retryAfterInSeconds?: number | undefined
  readonly guessesLeft?: number | undefined
  readonly cause?: unknown
}

/** Countersign did not do what you asked for. Neither message nor fields contain anything that was sent. */
export class CountersignError extends Error {
  override readonly name = 'CountersignError'
  /** What went wrong. */
  readonly code: CountersignErrorCode
  /** The HTTP status of the answer; undefined if nothing answered. */
  readonly status: number | undefined
  /** The id of the request in the log of the service. */
  readonly requestId: string | undefined
  /** With `BAD_REQUEST`: the fields that are not valid. */
  readonly fieldErrors: readonly FieldError[]
  /** How long to wait before the call can succeed, if the service says so. */
  readonly retryAfterInSeconds: number | undefined
  /** With `INVALID_OTP`: how many more wrong codes the challenge allows. */
  readonly guessesLeft: number | undefined

  constructor(code: CountersignErrorCode, what: string, details: CountersignErrorDetails = {}) {
    const { status, requestId, fieldErrors = [], retryAfterInSeconds, guessesLeft, cause } = details
    super(`${what} (${[status, code].filter(Boolean).join(' ')})`, cause === undefined ? {} : { cause })
    this.code = code
    this.status = status
    this.requestId = requestId
    this.fieldErrors = fieldErrors
    this.retryAfterInSeconds = retryAfterInSeconds
    this.guessesLeft = guessesLeft
  }
}
