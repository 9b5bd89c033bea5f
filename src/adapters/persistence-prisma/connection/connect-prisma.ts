import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/client.ts'
import { type AroundStatement, Statements } from './statements.ts'

export interface ConnectionSettings {
  /**
   * With `?pgbouncer=true` a pool in transaction mode may stand in between, where no two transactions need be of one session:
   * nothing is prepared for later ones, and the time-out of a statement is the role's (PgBouncer, Features).
   */
  readonly url: string
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onConnectionLost: (error: Error) => void
  /** Runs each named statement that does not go through the Prisma client. */
  readonly around?: AroundStatement | undefined
}

/** Of 4, 10, 20 and 32 connections a process, 10 gave the most throughput on a machine of two cores. */
const POOL_SIZE = 10
/** Node-postgres waits for a free connection without end by default. */
const ACQUIRE_TIMEOUT_IN_MS = 3000
const STATEMENT_TIMEOUT_IN_MS = 5000
/**
 * A process that is cut off within a transaction leaves its locks behind, and with them a user for whom nothing can be decided:
 * a server that hears no more of its client waits for two hours by default (tcp_keepalives_idle). Between two statements
 * there is nothing to wait for.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_IN_MS = 5000

/** Two ways to one database over one pool of connections. */
export interface Connections {
  readonly prisma: PrismaClient
  readonly statements: Statements
  /** What both share, to be counted. */
  readonly pool: pg.Pool
  close(): Promise<void>
}

/** Connects with the first query. */
export function connectPrisma({ url, onConnectionLost, around }: ConnectionSettings): Connections {
  const ownSession = new URL(url).searchParams.get('pgbouncer') !== 'true'
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_IN_MS,
    ...(ownSession && {
      statement_timeout: STATEMENT_TIMEOUT_IN_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_IN_MS,
    }),
    // A server that is gone without a word never answers: the client gives up a little after the server would have.
    query_timeout: STATEMENT_TIMEOUT_IN_MS + 1000,
    application_name: 'countersign',
  })
  pool.on('error', onConnectionLost)
  // Between the pool, which hands a connection out, and whoever takes it nobody listens for a moment, and an error that the server
  // sends just then would end the process. The next query on that connection fails, which is heard of.
  pool.on('connect', (client) => client.on('error', () => {}))
  const adapter = new PrismaPg(pool, { onConnectionError: onConnectionLost })
  const prisma = new PrismaClient({
    adapter,
    errorFormat: 'minimal',
    // A transaction waits for a connection as long as everything else does.
    transactionOptions: { maxWait: ACQUIRE_TIMEOUT_IN_MS },
  })
  let closing: Promise<void> | undefined
  return {
    prisma,
    statements: new Statements(pool, ownSession, around),
    pool,
    close: () => {
      closing ??= prisma.$disconnect().then(() => pool.end())
      return closing
    },
  }
}
