import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'

/** Small enough that the file of a batch takes little space beside the database. */
const BATCH = 250_000
const SUBJECTS = 1_000_000

/**
 * Fills a database with challenges of the last hundred days, oldest first. Each was opened, got one code, and was
 * verified and consumed. The server writes each batch to a file and loads it with COPY.
 */
export async function putHistory(client: pg.Client, count: number): Promise<void> {
  // Skips foreign keys and triggers: the rows are right by construction. The events have no place in a chain, as those from
  // before the chains.
  await client.query(`SET session_replication_role = replica`)
  // All tables use the same instant, because the ids that connect them are derived from it.
  const { rows } = await client.query<{ now: string }>('SELECT now()::text AS now')
  const span: Span = { count, now: rows[0]!.now }
  const folder = await mkdtemp(join(tmpdir(), 'countersign-history-'))
  await chmod(folder, 0o777)
  try {
    const copy = async (table: string, columns: string, rows: string) => {
      const file = join(folder, table)
      await client.query(`COPY (${rows}) TO '${file}' (FORMAT binary)`)
      await client.query(`COPY ${table} (${columns}) FROM '${file}' (FORMAT binary)`)
    }
    await copy(
      'subject_standings',
      'bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version',
      `SELECT bucket_of('subject-' || n), 'subject-' || n, 0::smallint, 0::smallint, '{}'::timestamptz[], 3
       FROM generate_series(0, ${Math.min(count, SUBJECTS) - 1}) n`,
    )
    await copy(
      'users',
      'bucket, user_id, email, created_at, updated_at',
      `SELECT bucket_of('subject-' || n), 'subject-' || n, 'subject-' || n || '@example.com', now(), now()
       FROM generate_series(0, ${Math.min(count, SUBJECTS) - 1}) n`,
    )
    await copy(
      'trail_heads',
      'bucket, subject_user_id, position, hash, previous_hash',
      `SELECT bucket_of('subject-' || n), 'subject-' || n, 0, ''::bytea, ''::bytea FROM generate_series(0, ${Math.min(count, SUBJECTS) - 1}) n`,
    )
    for (let first = 0; first < count; first += BATCH) {
      const last = Math.min(first + BATCH, count) - 1
      await copy('challenges', CHALLENGES.columns, challenges(first, last, span))
      await copy('otp_issuances', ISSUANCES.columns, issuances(first, last, span))
      await copy('challenge_events', EVENTS.columns, events(first, last, span))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await client.query(`SET session_replication_role = DEFAULT`)
  // Autovacuum would have done this long ago.
  await client.query('VACUUM (ANALYZE)')
  await client.query('CHECKPOINT')
}

/** The size of the service's tables and indexes, in bytes. */
export async function sizeOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c
     WHERE relname IN ('challenges', 'otp_issuances', 'challenge_events', 'subject_standings', 'trail_heads')`,
  )
  return Number(rows[0].bytes)
}

interface Span {
  readonly count: number
  /** The time of the newest challenge. */
  readonly now: string
}

/** The n-th challenge: its time, and an id that begins with its time (RFC 9562 §5.7) and ends with its bucket, as the service's ids do. */
function source(first: number, last: number, { count, now }: Span): string {
  const id = (variant: string) =>
    `(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7${variant}00' || '8000' || lpad(to_hex(n), 9, '0') || lpad(to_hex(bucket), 3, '0'))::uuid`
  return `(
    SELECT n, at, ${id('0')} AS id, ${id('1')} AS issuance_id, subject, bucket
    FROM (
      SELECT n, 'subject-' || n % ${SUBJECTS} AS subject, bucket_of('subject-' || n % ${SUBJECTS}) AS bucket,
        date_trunc('milliseconds', '${now}'::timestamptz - interval '100 days' * (1 - n / ${count}.0)) AS at
      FROM generate_series(${first}, ${last}) n
    ) times
  ) h`
}

const CHALLENGES = {
  columns:
    'bucket, id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status, attempts_remaining, issuance_count, created_at, expires_at, verified_at, consumed_at, consumption_key, consumption_fingerprint, idempotency_key, request_fingerprint',
}

function challenges(first: number, last: number, span: Span): string {
  return `SELECT bucket, id, 'history', subject, 'payments.initiate', left(encode(sha256(n::text::bytea), 'base64'), 43),
      jsonb_build_array(
        jsonb_build_object('label', 'Amount', 'value', 'EUR ' || n || '.00'),
        jsonb_build_object('label', 'To', 'value', 'ACME GmbH, DE89 3704 0044 0532 0130 00')
      ),
      'consumed', 5::smallint, 1::smallint, at, at + interval '15 minutes', at + interval '40 seconds',
      at + interval '41 seconds', md5(n::text)::uuid::text, left(encode(sha256(n::text::bytea), 'base64'), 43),
      md5((-n)::text)::uuid::text, left(encode(sha256(n::text::bytea), 'base64'), 43)
    FROM ${source(first, last, span)} ORDER BY n`
}

const ISSUANCES = {
  columns:
    'bucket, id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status, delivery_attempts, sent_at, message_id',
}

function issuances(first: number, last: number, span: Span): string {
  return `SELECT bucket, issuance_id, id, subject, 1::smallint, 'k1', subject || '@example.com', at + interval '1 second',
      at + interval '301 seconds', 'sent', 1::smallint, at + interval '2 seconds', '<' || issuance_id || '@bank.example>'
    FROM ${source(first, last, span)} ORDER BY n`
}

const EVENTS = {
  columns:
    'bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details',
}

function events(first: number, last: number, span: Span): string {
  return `SELECT bucket, id, subject, type, at + after, actor, md5(n::text || type)::uuid::text, '203.0.113.7', details
    FROM ${source(first, last, span)}, LATERAL (VALUES
      ('challenge-opened', interval '0', 'client:history', '{}'::jsonb),
      ('otp-issued', interval '1 second', 'user:' || subject, jsonb_build_object('issuanceId', issuance_id, 'number', 1)),
      ('otp-sent', interval '2 seconds', 'service', jsonb_build_object('issuanceId', issuance_id)),
      ('challenge-verified', interval '40 seconds', 'user:' || subject, jsonb_build_object('issuanceId', issuance_id)),
      ('challenge-consumed', interval '41 seconds', 'client:history', '{}'::jsonb)
    ) AS e (type, after, actor, details)
    ORDER BY n, after`
}
