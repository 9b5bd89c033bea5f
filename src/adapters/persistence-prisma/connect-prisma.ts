import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient } from './generated/client.ts'

export interface ConnectionSettings {
  readonly url: string
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onConnectionLost: (error: Error) => void
}

/** Of 4, 10, 20 and 32 connections a process, 10 gave the most throughput on a machine of two cores. */
const POOL_SIZE = 10
/** Node-postgres waits for a free connection without end by default. */
const ACQUIRE_TIMEOUT_IN_MS = 3000
const STATEMENT_TIMEOUT_IN_MS = 5000

/** A client of its own pool. Connects with the first query. */
export function connectPrisma({ url, onConnectionLost }: ConnectionSettings): PrismaClient {
  const pool = {
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_IN_MS,
    statement_timeout: STATEMENT_TIMEOUT_IN_MS,
    // A server that is gone without a word never answers: the client gives up a little after the server would have.
    query_timeout: STATEMENT_TIMEOUT_IN_MS + 1000,
    application_name: 'countersign',
  }
  const adapter = new PrismaPg(pool, {
    statementNameGenerator: nameOf,
    onPoolError: onConnectionLost,
    onConnectionError: onConnectionLost,
  })
  return new PrismaClient({ adapter, errorFormat: 'minimal' })
}

/**
 * The hot statements carry their name as a leading comment, `/* step-ups.load *\/`. A name makes pg prepare the
 * statement once per connection; Prisma's own statements get none, since their number has no bound.
 */
function nameOf({ sql }: { readonly sql: string }): string {
  return /^\/\* ([a-z.-]+) \*\//.exec(sql)?.[1] ?? ''
}
