import { createHash } from 'node:crypto'

/** A row of `challenge_events` that has its place in a chain, as text where the hash is over text. */
export interface ChainedRow {
  readonly subject_user_id: string
  readonly challenge_id: string | null
  readonly type: string
  /** Milliseconds since 1970. */
  readonly occurred_at: string
  readonly recorded_at: string
  readonly actor: string
  readonly request_id: string | null
  readonly remote_address: string | null
  /** As PostgreSQL writes JSON. */
  readonly details: string
  readonly position: number
  readonly previous_hash: Buffer
}

/**
 * The hash of an event, as the trigger `chain_challenge_event` computes it: SHA-256 over the hash of the event before it, its place
 * (8 octets, big-endian) and its content. The content is the JSON array that PostgreSQL writes, in UTF-8.
 */
export function eventHash(row: ChainedRow): Buffer {
  const place = Buffer.alloc(8)
  place.writeBigInt64BE(BigInt(row.position))
  const { subject_user_id, challenge_id, type, actor, request_id, remote_address } = row
  const texts = [
    ...[subject_user_id, challenge_id, type].map((text) => JSON.stringify(text)),
    ...[row.occurred_at, row.recorded_at],
    ...[actor, request_id, remote_address].map((text) => JSON.stringify(text)),
    row.details,
  ]
  return createHash('sha256')
    .update(row.previous_hash)
    .update(place)
    .update(`[${texts.join(', ')}]`)
    .digest()
}
