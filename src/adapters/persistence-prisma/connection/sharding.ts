import type { PrismaClient } from '../generated/client.ts'

/**
 * `none`: one PostgreSQL has all tables. `citus`: the tables are spread over several by the bucket of the subject, as `deploy/citus` does it.
 * A decision is then a call of a function, which runs where the rows of its subject are (decision 67).
 */
export type Sharding = 'none' | 'citus'

const SHARDED = new WeakSet<PrismaClient>()

/** Notes where the tables of a client are. A generated client has no place for it. */
export function noteSharding(prisma: PrismaClient, sharding: Sharding): void {
  if (sharding === 'citus') SHARDED.add(prisma)
}

export function shardingOf(prisma: PrismaClient): Sharding {
  return SHARDED.has(prisma) ? 'citus' : 'none'
}
