/** Every code that the service answers with, without its family: `urn:plmr:mfa-challenge:api:` and the like. */
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
  'UNAUTHORIZED',
  'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
  'USER_NOT_FOUND',
]
/** Every code that is said of a field. */
export const FIELD_CODES = ['MALFORMED', 'NOT_BLANK', 'NOT_NULL', 'UNKNOWN']
/** Countersign did not do what it was asked for. Neither message nor fields hold anything that was sent. */
export class CountersignError extends Error {
  name = 'CountersignError'
  code
  /** Of the answer; undefined if there was none. */
  status
  /** Leads to the request in the service's log. */
  requestId
  fieldErrors
  retryAfterInSeconds
  /** After a wrong code: how many more may be given. */
  guessesLeft
  constructor(code, what, particulars = {}) {
    const { status, requestId, fieldErrors = [], retryAfterInSeconds, guessesLeft, cause } = particulars
    super(`${what} (${[status, code].filter(Boolean).join(' ')})`, cause === undefined ? {} : { cause })
    this.code = code
    this.status = status
    this.requestId = requestId
    this.fieldErrors = fieldErrors
    this.retryAfterInSeconds = retryAfterInSeconds
    this.guessesLeft = guessesLeft
  }
}
