import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { StatementHook } from '../../../contracts/statement-hook.ts'
import { PrismaClient } from '../generated/client.ts'
import { assertOfCluster, type Server, urlOnServer } from '../sharding/servers.ts'
import { endReadOnly, refusalOfReadOnly, SessionClient } from './session-client.ts'
import { noteSharding, type Sharding } from './sharding.ts'
import { Statements } from './statements.ts'

export interface ConnectionSettings {
  /**
   * With `?pgbouncer=true`, a pooler in transaction mode may be in between, which can change the session between two
   * transactions (PgBouncer, Features). The service then prepares no statements, and the role sets their time-out.
   */
  readonly url: string
  /** Connections at most. */
  readonly poolSize?: number | undefined
  /** Whether to refuse sessions that cannot write. By default a standby is as good as any server. */
  readonly onlyWritable?: boolean
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onConnectionLost: (error: Error) => void
  /** Wraps each named statement that does not go through the Prisma client. */
  readonly hook?: StatementHook | undefined
  /** Whether the tables are on one server. They are by default. */
  readonly sharding?: Sharding | undefined
}

/** Connections at most for the requests of a process. On two cores, 10 gave more throughput than 4, 20 and 32. */
const POOL_SIZE = 10
/** By default, node-postgres waits for a free connection forever. */
const ACQUIRE_TIMEOUT_IN_MS = 3000
const STATEMENT_TIMEOUT_IN_MS = 5000
/** A decision that waits for another one about its user gives up its connection in time for other users. */
const LOCK_TIMEOUT_IN_MS = 1000
/**
 * A process that loses its network within a transaction keeps its locks, so nothing can be decided for that user. By default
 * the server notices a lost client only after two hours (tcp_keepalives_idle). Transactions of this service never wait
 * between two statements.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_IN_MS = 5000

/**
 * A statement that asks all shards otherwise opens more connections to each server than a session keeps, and closes them afterwards. That
 * takes the servers many times what such a statement takes them.
 */
const ONE_CONNECTION_PER_SERVER = '-c citus.max_adaptive_executor_pool_size=1'

/** A session with a server of a Citus plans the statements of each shard once. A pool would end one that idles for ten seconds. */
const SESSION_WITH_SERVER_IDLE_MS = 30_000

/** Two ways to query one database. They share one pool of connections. */
export interface Connections {
  readonly prisma: PrismaClient
  readonly statements: Statements
  /** The shared pool, for its metrics. */
  readonly pool: pg.Pool
  close(): Promise<void>
}

/** Connects with the first query. */
export function connectPrisma({
  url,
  poolSize = POOL_SIZE,
  onlyWritable = false,
  onConnectionLost,
  hook,
  sharding = 'none',
}: ConnectionSettings): Connections {
  const ownSession = new URL(url).searchParams.get('pgbouncer') !== 'true'
  const connect = (connectionString: string, cluster?: string): pg.Pool => {
    const pool = new pg.Pool({
      connectionString,
      Client: SessionClient,
      max: poolSize,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_IN_MS,
      ...(ownSession && {
        statement_timeout: STATEMENT_TIMEOUT_IN_MS,
        lock_timeout: LOCK_TIMEOUT_IN_MS,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_IN_MS,
        ...(sharding === 'citus' && { options: ONE_CONNECTION_PER_SERVER }),
      }),
      // A server that disappeared never answers. The client gives up shortly after the server would have.
      query_timeout: STATEMENT_TIMEOUT_IN_MS + 1000,
      application_name: 'countersign',
      ...(cluster !== undefined && { idleTimeoutMillis: SESSION_WITH_SERVER_IDLE_MS }),
      verify: (client, done) => {
        const refused = onlyWritable ? refusalOfReadOnly(client) : undefined
        if (refused || cluster === undefined) done(refused)
        else assertOfCluster(client, cluster).then(() => done(), done)
      },
    })
    if (onlyWritable) pool.on('release', endReadOnly)
    pool.on('error', onConnectionLost)
    // A checked-out client briefly has no error listener, and a server error at that moment would crash the process.
    // Ignore it here: the next query on that client fails and is handled.
    pool.on('connect', (client) => client.on('error', () => {}))
    return pool
  }
  const pool = connect(url)
  const connectTo = (server: Server) => connect(urlOnServer(server, url), server.cluster)
  const adapter = new PrismaPg(pool, { onConnectionError: onConnectionLost })
  const prisma = new PrismaClient({
    adapter,
    errorFormat: 'minimal',
    // A transaction waits for a connection as long as every other query.
    transactionOptions: { maxWait: ACQUIRE_TIMEOUT_IN_MS },
  })
  noteSharding(prisma, sharding)
  const statements = new Statements(pool, ownSession, hook, sharding, ownSession ? connectTo : undefined)
  let closing: Promise<void> | undefined
  return {
    prisma,
    statements,
    pool,
    close: () => {
      closing ??= prisma.$disconnect().then(async () => {
        await Promise.all([pool.end(), statements.nodes?.close()])
      })
      return closing
    },
  }
}
