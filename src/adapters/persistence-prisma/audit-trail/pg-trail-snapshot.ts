import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { SignedAnchor } from '../../../application/ports/trail-anchors.ts'
import type {
  ChainedEvent,
  TrailEvent,
  TrailHead,
  TrailSnapshot,
} from '../../../application/ports/trail-snapshot.ts'
import { translateStorageErrors } from '../connection/storage-errors.ts'
import { type ChainedRow, eventHash } from './event-hash.ts'

const BATCH_SIZE = 2000

/** The columns that a hash is over, and the id. */
const COLUMNS = `jsonb_build_object(
    'id', e.id, 'subject_user_id', e.subject_user_id, 'challenge_id', e.challenge_id, 'type', e.type,
    'occurred_at', (extract(epoch FROM e.occurred_at) * 1000)::bigint::text,
    'recorded_at', (extract(epoch FROM e.recorded_at) * 1000)::bigint::text,
    'actor', e.actor, 'request_id', e.request_id, 'remote_address', e.remote_address, 'details', e.details::text,
    'position', e.position, 'previous_hash', encode(e.previous_hash, 'hex'))`
const COLUMNS_OF = (alias: string) => COLUMNS.replaceAll('e.', `${alias}.`)

type RowAsJson = Omit<ChainedRow, 'previous_hash'> & { readonly id: number; readonly previous_hash: string }

/**
 * Reads the trail in one read-only transaction, so that what the service writes meanwhile is no gap. Computes the hashes itself: somebody
 * who rewrote the trail could also replace a function of the database.
 */
export async function withTrailSnapshot<Result>(
  pool: pg.Pool,
  use: (snapshot: TrailSnapshot) => Promise<Result>,
): Promise<Result> {
  const client = await translateStorageErrors(pool.connect())
  try {
    const query = async <Row extends object>(text: string, values: unknown[] = []) =>
      (await translateStorageErrors(client.query<Row>(text, values))).rows
    await query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    // Each connection of Citus to a server has a snapshot of its own there, and a chain is on one server. Elsewhere this means nothing.
    await query(`SET LOCAL citus.max_adaptive_executor_pool_size = 1`)
    const [retention] = await query<{ purged_to: string; minimum_days: number }>(
      'SELECT purged_to, minimum_days FROM trail_retention',
    )
    return await use(new PgTrailSnapshot(query, Number(retention!.purged_to), retention!.minimum_days))
  } finally {
    // Ends the transaction as well.
    client.release(true)
  }
}

type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>

class PgTrailSnapshot implements TrailSnapshot {
  readonly purgedTo: number
  readonly minimumDays: number
  readonly #query: Query

  constructor(query: Query, purgedTo: number, minimumDays: number) {
    this.#query = query
    this.purgedTo = purgedTo
    this.minimumDays = minimumDays
  }

  async anchors(): Promise<readonly SignedAnchor[]> {
    const rows = await this.#query<{ anchor: Omit<SignedAnchor, 'signedAt'>; signed_at: Date }>(
      `SELECT jsonb_build_object('number', number, 'firstId', first_id, 'lastId', last_id, 'events', events, 'digest', digest,
         'previous', previous, 'keyId', key_id, 'signature', signature) AS anchor, signed_at
       FROM trail_anchors ORDER BY number`,
    )
    return rows.map(({ anchor, signed_at: signedAt }) => ({ ...anchor, signedAt }))
  }

  async *events(): AsyncGenerator<readonly TrailEvent[]> {
    let after = '0'
    for (;;) {
      const rows = await this.#query<{
        id: string
        event: RowAsJson | null
        previous_id: string | null
        previous: RowAsJson | null
      }>(
        `SELECT e.id, CASE WHEN e.position IS NOT NULL THEN ${COLUMNS_OF('e')} END AS event, e.previous_id,
           CASE WHEN p.id IS NOT NULL THEN ${COLUMNS_OF('p')} END AS previous
         FROM challenge_events e LEFT JOIN challenge_events p ON p.bucket = e.bucket AND p.id = e.previous_id
         WHERE e.id > $1::bigint ORDER BY e.id LIMIT ${BATCH_SIZE}`,
        [after],
      )
      yield rows.map(({ id, event, previous_id: previousId, previous }) =>
        event === null
          ? { id: Number(id), position: undefined }
          : {
              ...chained(event),
              previousId: previousId === null ? undefined : Number(previousId),
              previousHash: event.previous_hash,
              previous: previous === null ? undefined : chained(previous),
            },
      )
      if (rows.length < BATCH_SIZE) return
      after = rows.at(-1)!.id
    }
  }

  async *heads(): AsyncGenerator<readonly TrailHead[]> {
    let after = ''
    for (;;) {
      const rows = await this.#query<{
        subject_user_id: string
        position: number
        hash: string
        event_id: string | null
        event: RowAsJson | null
      }>(
        `SELECT h.subject_user_id, h.position, encode(h.hash, 'hex') AS hash, h.event_id,
           CASE WHEN e.id IS NOT NULL THEN ${COLUMNS_OF('e')} END AS event
         FROM trail_heads h LEFT JOIN challenge_events e ON e.bucket = h.bucket AND e.id = h.event_id
         WHERE h.subject_user_id > $1 ORDER BY h.subject_user_id LIMIT ${BATCH_SIZE}`,
        [after],
      )
      yield rows.map(({ subject_user_id: subjectUserId, position, hash, event_id: eventId, event }) => ({
        ...{ subjectUserId, position, hash },
        eventId: eventId === null ? undefined : Number(eventId),
        event: event === null ? undefined : chained(event),
      }))
      if (rows.length < BATCH_SIZE) return
      after = rows.at(-1)!.subject_user_id
    }
  }

  digest(): { add(hash: string): void; value(): string } {
    const digest = createHash('sha256')
    return { add: (hash) => void digest.update(hash, 'hex'), value: () => digest.digest('base64url') }
  }
}

function chained(row: RowAsJson): ChainedEvent {
  const { id, subject_user_id: subjectUserId, position, previous_hash } = row
  // A row that was added by hand may lack what a trigger sets.
  const previousHash = Buffer.from(previous_hash ?? '', 'hex')
  const hash = eventHash({ ...row, previous_hash: previousHash }).toString('hex')
  return { id, subjectUserId, position, hash }
}
