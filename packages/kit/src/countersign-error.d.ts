/** Every code that the service answers with, without its family: `urn:plmr:mfa-challenge:api:` and the like. */
export declare const ANSWERED_CODES: readonly [
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
  'UNAUTHORIZED',
  'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
  'USER_NOT_FOUND',
]
/** Every code that is said of a field. */
export declare const FIELD_CODES: readonly ['MALFORMED', 'NOT_BLANK', 'NOT_NULL', 'UNKNOWN']
/**
 * Beside what the service answers: `UNREACHABLE` is no answer, or none in time; `TOKEN_UNAVAILABLE` is no access token to ask
 * with, so nothing was sent; `UNEXPECTED` is an answer that is not the service's.
 */
export type CountersignErrorCode =
  | (typeof ANSWERED_CODES)[number]
  | 'UNREACHABLE'
  | 'TOKEN_UNAVAILABLE'
  | 'UNEXPECTED'
export interface FieldError {
  readonly code: (typeof FIELD_CODES)[number] | 'UNEXPECTED'
  /** Where in the body, as in `operation.summary[0].label`, or the name of a header. */
  readonly field: string
}
interface Particulars {
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly fieldErrors?: readonly FieldError[]
  readonly retryAfterInSeconds?: number | undefined
  readonly guessesLeft?: number | undefined
  readonly cause?: unknown
}
/** Countersign did not do what it was asked for. Neither message nor fields hold anything that was sent. */
export declare class CountersignError extends Error {
  readonly name = 'CountersignError'
  readonly code: CountersignErrorCode
  /** Of the answer; undefined if there was none. */
  readonly status: number | undefined
  /** Leads to the request in the service's log. */
  readonly requestId: string | undefined
  readonly fieldErrors: readonly FieldError[]
  readonly retryAfterInSeconds: number | undefined
  /** After a wrong code: how many more may be given. */
  readonly guessesLeft: number | undefined
  constructor(code: CountersignErrorCode, what: string, particulars?: Particulars)
}
