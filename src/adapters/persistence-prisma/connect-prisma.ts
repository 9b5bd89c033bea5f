import { PrismaPg } from '@prisma/adapter-pg'
import type { Pool } from 'pg'
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

/** The pool behind each client, once there is one. */
const pools = new WeakMap<PrismaClient, () => Pool | undefined>()

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
  const adapter = new PrismaPgOfPool(pool, {
    statementNameGenerator: nameOf,
    onPoolError: onConnectionLost,
    onConnectionError: onConnectionLost,
  })
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' })
  pools.set(prisma, () => adapter.pool)
  return prisma
}

/** The connections of a client that {@link connectPrisma} made; undefined before its first query. */
export function poolOf(prisma: PrismaClient): Pool | undefined {
  return pools.get(prisma)?.()
}

/** Prisma makes the pool when it connects, and shows it to nobody but the adapter. */
class PrismaPgOfPool extends PrismaPg {
  pool: Pool | undefined

  override async connect() {
    const connected = await super.connect()
    this.pool = connected.underlyingDriver()
    return connected
  }
}

/**
 * The hot statements carry their name as a leading comment, `/* step-ups.load *\/`. A name makes pg prepare the
 * statement once per connection; Prisma's own statements get none, since their number has no bound.
 */
function nameOf({ sql }: { readonly sql: string }): string {
  return /^\/\* ([a-z.-]+) \*\//.exec(sql)?.[1] ?? ''
}
