/*
 * What a decision and a new challenge consist of, as their JSON has them (`columns` in grouped-step-up-statements.ts), and how each becomes
 * columns of the tables. The statements for several decisions and the functions for tables on several servers are made of these parts.
 */

/** Who caused it, and what goes on the trail. */
const CAUSE = 'events json, actor text, request_id text, remote_address text'

export const DECISION_COLUMNS = `bucket integer, subject text, version integer, failures smallint, locks smallint, locked_until timestamptz,
        recent_issuances timestamptz[], challenge_id uuid, status text, attempts_remaining smallint,
        issuance_count smallint, verified_at timestamptz, consumed_at timestamptz, consumption_key text,
        consumption_fingerprint text, exhausted_at timestamptz, cancelled_at timestamptz, mismatched_by text[], issuance_id uuid,
        number smallint, key_id text, recipient text, issued_at timestamptz, expires_at timestamptz,
        next_attempt_at timestamptz, trace_context text, approval_seal text, consumption_seal text, issuance_seal text,
        mailbox text, mailbox_at_most integer, ${CAUSE}`

/** `s` is the row of the standing, `m` the decision. */
export const STANDING_CHANGES = `consecutive_failures = m.failures, consecutive_locks = m.locks, locked_until = m.locked_until,
          recent_issuances = m.recent_issuances, version = s.version + 1`

/** `c` is the row of the challenge, `m` the decision. */
export const CHALLENGE_CHANGES = `status = m.status, attempts_remaining = m.attempts_remaining, issuance_count = m.issuance_count,
          verified_at = m.verified_at, consumed_at = m.consumed_at, consumption_key = m.consumption_key,
          consumption_fingerprint = m.consumption_fingerprint, exhausted_at = m.exhausted_at,
          cancelled_at = m.cancelled_at, approval_seal = coalesce(m.approval_seal, c.approval_seal),
          consumption_seal = coalesce(m.consumption_seal, c.consumption_seal),
          mismatched_by = m.mismatched_by`

/** The columns of a new code, and their values from the decision `m`. */
export const NEW_ISSUANCE = {
  columns: `bucket, id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at,
        status, delivery_attempts, next_attempt_at, trace_context, seal`,
  values: `m.bucket, m.issuance_id, m.challenge_id, m.subject, m.number, m.key_id, m.recipient, m.issued_at, m.expires_at,
        'queued', 0, m.next_attempt_at, m.trace_context, m.issuance_seal`,
}

export const OPENING_COLUMNS = `bucket integer, challenge_id uuid, client_id text, subject text, type text, digest text, summary jsonb,
        attempts_remaining smallint, created_at timestamptz, expires_at timestamptz, key text, fingerprint text,
        most_live integer, demand_seal text, ${CAUSE}`

/** The columns of a new challenge, and their values from the demand `m`. */
export const NEW_CHALLENGE = {
  columns: `bucket, id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
        attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint, demand_seal`,
  values: `m.bucket, m.challenge_id, m.client_id, m.subject, m.type, m.digest, m.summary, 'pending', m.attempts_remaining, 0,
        m.created_at, m.expires_at, m.key, m.fingerprint, m.demand_seal`,
}
