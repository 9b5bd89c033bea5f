/**
 * Every code a domain rule can refuse with. Adapters map them (the HTTP table does not compile when one is
 * missing), so a code is never renamed, only retired.
 */
export type DomainErrorCode =
  | 'address-held'
  | 'challenge-cancelled'
  | 'challenge-consumed'
  | 'challenge-exhausted'
  | 'challenge-expired'
  | 'challenge-not-found'
  | 'challenge-not-verified'
  | 'challenge-verified'
  | 'email-address-malformed'
  | 'idempotency-key-reused'
  | 'issuance-too-soon'
  | 'issuances-spent'
  | 'live-challenges-spent'
  | 'operation-malformed'
  | 'subject-locked'
  | 'subject-mismatch'
  | 'user-malformed'
  | 'user-not-found'
  | 'user-unreachable'
  | 'webhook-configured'
  | 'webhook-malformed'
  | 'webhook-not-found'

/** A domain rule refused, and nothing has changed. Any other error is a defect or an outage. */
export abstract class DomainError extends Error {
  abstract readonly code: DomainErrorCode
}
