import pg from 'pg'

export interface Pooling {
  /**
   * `session`: a connection keeps its process of the server. `transaction`: it may get another one for each transaction.
   * `starved`: a second connection got none in time, and queries may still wait.
   */
  readonly mode: 'none' | 'session' | 'transaction' | 'starved'
  /** False if a statement that a connection prepared is unknown later. */
  readonly keepsPrepared: boolean
}

/** A pooler may let a query wait for a minute or more. A person waits for the answer of this one. */
const TIMEOUT_IN_MS = 2000
/** Under load, a pooler in transaction mode may return the same process by chance. */
const ROUNDS = 3
/** invalid_sql_statement_name: the new process behind the connection has not prepared it. */
const UNKNOWN_STATEMENT = '26000'
/** What node-postgres says when it gave up, and PgBouncer when it did. */
const WAITED = /^(?:Query read timeout|query_wait_timeout)$/

/**
 * Detects a pooler: it invents the process id that a client receives at the start of its connection. In transaction mode two
 * connections take turns at one process, or the process behind one changes while the other is busy.
 *
 * @param prepares whether to try if prepared statements survive a change of the process.
 * @throws the error of the pooler or the server.
 */
export async function detectPooling(
  client: pg.PoolClient,
  pool: pg.Pool,
  prepares: boolean,
): Promise<Pooling> {
  // The name makes it a prepared statement.
  const ask = processIdOf(client, prepares ? 'doctor' : undefined)
  const processId = await ask()
  if ((client as pg.PoolClient & { readonly processID?: number }).processID === processId) {
    return { mode: 'none', keepsPrepared: true }
  }

  const other = await pool.connect()
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await other.query(withTimeout('BEGIN'))
      const otherProcessId = await processIdOf(other)()
      const later = await ask().catch(unlessUnknown)
      await other.query(withTimeout('ROLLBACK'))
      if (later === undefined) return { mode: 'transaction', keepsPrepared: false }
      if (later !== processId || otherProcessId === processId) {
        return { mode: 'transaction', keepsPrepared: true }
      }
    }
    return { mode: 'session', keepsPrepared: true }
  } catch (error) {
    if (!WAITED.test((error as Error).message)) throw error
    return { mode: 'starved', keepsPrepared: true }
  } finally {
    // Closes it: after an error, a query may still wait in the pooler.
    other.release(true)
  }
}

function processIdOf(client: pg.PoolClient, name?: string): () => Promise<number> {
  const query = { ...withTimeout('SELECT pg_backend_pid() AS pid'), ...(name && { name }) }
  return async () => (await client.query<{ pid: number }>(query)).rows[0]!.pid
}

/** The types of node-postgres do not declare the time-out of a single query. */
function withTimeout(text: string): pg.QueryConfig & { readonly query_timeout: number } {
  return { text, query_timeout: TIMEOUT_IN_MS }
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof pg.DatabaseError) || error.code !== UNKNOWN_STATEMENT) throw error
}
