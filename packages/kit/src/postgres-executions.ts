import { randomUUID } from 'node:crypto'
import type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'

/** As much of a PostgreSQL client as the store needs. The `Pool` of the package `pg` has it, and so have others. */
export interface PostgresClient {
  /** Runs one statement, and commits it before it resolves. */
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

export interface PostgresExecutionsOptions {
  /** How long {@link PostgresExecutions.forget} keeps a run, in milliseconds. Default: 30 days. */
  readonly rememberForInMs?: number
  /** How long a run that has not ended counts as under way, in milliseconds. After that its outcome is not known. Default: one minute. */
  readonly underWayForInMs?: number
}

/**
 * Creates the table of {@link PostgresExecutions}, for your migrations. Running it again changes nothing.
 *
 * The role of your service needs SELECT, INSERT, UPDATE and DELETE on it. The row of the nil UUID says how far the table has
 * forgotten: whatever was consumed before its `consumed_at` does not begin.
 */
export const EXECUTIONS_TABLE = `
CREATE TABLE IF NOT EXISTS countersign_executions (
  challenge_id uuid PRIMARY KEY,
  digest text NOT NULL,
  consumed_at timestamptz NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now(),
  outcome text NOT NULL DEFAULT 'under-way' CHECK (outcome IN ('under-way', 'not-known', 'finished', 'forgotten')),
  response text,
  CHECK ((outcome = 'finished') = (response IS NOT NULL))
);
ALTER TABLE countersign_executions ADD COLUMN IF NOT EXISTS run uuid;
CREATE INDEX IF NOT EXISTS countersign_executions_consumed_at ON countersign_executions (consumed_at);
INSERT INTO countersign_executions (challenge_id, digest, consumed_at, outcome)
VALUES ('00000000-0000-0000-0000-000000000000', '', '-infinity', 'forgotten')
ON CONFLICT (challenge_id) DO NOTHING;
`

const HORIZON = `challenge_id = '00000000-0000-0000-0000-000000000000'`
/** The run that is named, or any run if none is. */
const OPEN = `outcome IN ('under-way', 'not-known') AND ($2::uuid IS NULL OR run = $2::uuid)`
/** One statement deletes no more rows than this, so that it holds up nobody. */
const FORGOTTEN_AT_ONCE = 1000

/**
 * The row lock makes a beginning and `forget` come one after the other. Without it, a statement that began before `forget` would
 * not see the new horizon, and could run what was just forgotten.
 */
const BEGIN = `
WITH horizon AS (
  SELECT consumed_at FROM countersign_executions WHERE ${HORIZON} FOR SHARE
), begun AS (
  INSERT INTO countersign_executions (challenge_id, digest, consumed_at, run)
  SELECT $1::uuid, $2::text, $3::timestamptz, $4::uuid FROM horizon WHERE horizon.consumed_at <= $3::timestamptz
  ON CONFLICT (challenge_id) DO NOTHING
  RETURNING challenge_id
)
SELECT EXISTS (SELECT FROM begun) AS begun, horizon.consumed_at > $3::timestamptz AS forgotten FROM horizon`

const STATE = `
SELECT CASE WHEN outcome = 'under-way' AND begun_at < now() - $2::float8 * interval '1 millisecond'
  THEN 'not-known' ELSE outcome END AS outcome, response
FROM countersign_executions WHERE challenge_id = $1::uuid`

interface Begun {
  readonly begun: boolean
  readonly forgotten: boolean
}

interface State {
  readonly outcome: 'under-way' | 'not-known' | 'finished' | 'forgotten'
  readonly response: string | null
}

/**
 * Remembers runs in a table of your own PostgreSQL, so that an operation runs once, whatever process of your service gets the call, and
 * whichever of them dies. {@link EXECUTIONS_TABLE} creates the table.
 *
 * A run whose process died stays in the table as `under-way`, and no repeat runs it. So does a run whose handler failed, as `not-known`.
 * Once you have found out what it did, call `abandon` or `finish`.
 *
 * @example
 * ```ts
 * const executions = new PostgresExecutions(new pg.Pool({ connectionString }))
 * setInterval(() => executions.forget().catch(console.error), 3_600_000).unref()
 * ```
 */
export class PostgresExecutions implements ExecutionStore {
  readonly #client: PostgresClient
  readonly #rememberForInMs: number
  readonly #underWayForInMs: number

  /** @param client a pool. Not a connection with an open transaction: a run that is rolled back could run again. */
  constructor(
    client: PostgresClient,
    { rememberForInMs = 30 * 24 * 3600 * 1000, underWayForInMs = 60_000 }: PostgresExecutionsOptions = {},
  ) {
    this.#client = client
    this.#rememberForInMs = rememberForInMs
    this.#underWayForInMs = underWayForInMs
  }

  async begin({ challengeId, digest, consumedAt }: Execution): Promise<Beginning> {
    const run = randomUUID()
    const [begun] = await this.#rows<Begun>(BEGIN, challengeId, digest, consumedAt.toISOString(), run)
    if (!begun) throw new Error('The table countersign_executions lacks the row of the nil UUID')
    if (begun.begun) return { state: 'run', run }

    const [known] = await this.#rows<State>(STATE, challengeId, this.#underWayForInMs)
    switch (known?.outcome) {
      case 'finished':
        return { state: 'finished', response: JSON.parse(known.response!) }
      case 'under-way':
        return { state: 'under-way' }
      case undefined:
        // Abandoned between the two statements: the next repeat may begin it.
        return { state: begun.forgotten ? 'not-known' : 'under-way' }
      default:
        return { state: 'not-known' }
    }
  }

  async finish(challengeId: string, response: StoredResponse, run?: string): Promise<void> {
    await this.#rows(
      `UPDATE countersign_executions SET outcome = 'finished', response = $3::text
       WHERE challenge_id = $1::uuid AND ${OPEN}`,
      challengeId,
      run ?? null,
      JSON.stringify(response),
    )
  }

  async markNotKnown(challengeId: string, run?: string): Promise<void> {
    await this.#rows(
      `UPDATE countersign_executions SET outcome = 'not-known' WHERE challenge_id = $1::uuid AND ${OPEN}`,
      challengeId,
      run ?? null,
    )
  }

  async abandon(challengeId: string, run?: string): Promise<void> {
    await this.#rows(
      `DELETE FROM countersign_executions WHERE challenge_id = $1::uuid AND ${OPEN}`,
      challengeId,
      run ?? null,
    )
  }

  /**
   * Deletes the runs whose approvals were consumed longer ago than `rememberForInMs`, by the clock of the database. A repeat of one of
   * them gets `OUTCOME_NOT_KNOWN`, even if that clock is set back or another process remembers for longer. Call it every hour or so,
   * in any number of processes.
   *
   * @returns how many it deleted.
   */
  async forget(): Promise<number> {
    // Committed before the first row is deleted: no moment knows neither the row nor that it is forgotten.
    const moved = await this.#rows(
      `UPDATE countersign_executions
       SET consumed_at = greatest(consumed_at, now() - $1::float8 * interval '1 millisecond')
       WHERE ${HORIZON} RETURNING 1`,
      this.#rememberForInMs,
    )
    if (moved.length === 0) throw new Error('The table countersign_executions lacks the row of the nil UUID')

    let forgotten = 0
    for (let deleted = FORGOTTEN_AT_ONCE; deleted === FORGOTTEN_AT_ONCE; forgotten += deleted) {
      const rows = await this.#rows(
        `DELETE FROM countersign_executions WHERE outcome <> 'forgotten' AND challenge_id IN (
           SELECT challenge_id FROM countersign_executions
           WHERE consumed_at < (SELECT consumed_at FROM countersign_executions WHERE ${HORIZON})
           ORDER BY consumed_at LIMIT $1::int FOR UPDATE SKIP LOCKED
         ) RETURNING 1`,
        FORGOTTEN_AT_ONCE,
      )
      deleted = rows.length
    }
    return forgotten
  }

  async #rows<Row>(text: string, ...values: unknown[]): Promise<readonly Row[]> {
    const { rows } = await this.#client.query(text, values)
    return rows as readonly Row[]
  }
}
