import { readdir } from 'node:fs/promises'
import type pg from 'pg'
import type { HealthCheck } from '../../../contracts/health-check.ts'
import type { PrismaClient } from '../generated/client.ts'
import type { Connections } from './connect-prisma.ts'
import { connectionFailure } from './connection-failure.ts'
import { READ_ONLY } from './session-client.ts'

const MIGRATIONS = new URL('../../../../prisma/migrations/', import.meta.url)

/** Checks that the database answers, is writable, and has every migration that this version of the service needs. */
export class DatabaseHealth implements HealthCheck {
  readonly name = 'database'
  readonly #connections: Pick<Connections, 'pool' | 'prisma'>

  constructor(connections: Pick<Connections, 'pool' | 'prisma'>) {
    this.#connections = connections
  }

  async problem(): Promise<string | undefined> {
    const { pool, prisma } = this.#connections
    let pending: readonly string[]
    try {
      if (await isReadOnly(pool)) return 'the database is read-only'
      pending = await pendingMigrations(prisma)
    } catch (error) {
      return `the database ${connectionFailure(error).problem}`
    }
    return pending.length > 0
      ? `migrations are pending (countersign migrate): ${pending.join(', ')}`
      : undefined
  }
}

/**
 * A standby is read-only, and so is a server that its operator made so. It answers, but every decision fails on it. The pool refuses
 * such a session, unless a pooler hides what the server reports of it: so ask, and give up one that is read-only.
 */
async function isReadOnly(pool: pg.Pool): Promise<boolean> {
  let session: pg.PoolClient
  try {
    // Not through Prisma, which hides whether an address refused or has no name.
    session = await pool.connect()
  } catch (error) {
    if ((error as pg.DatabaseError).code === READ_ONLY) return true
    throw error
  }
  let isUseful = false
  try {
    const { rows } = await session.query<{ read_only: boolean }>(
      `SELECT current_setting('transaction_read_only')::boolean AS read_only`,
    )
    isUseful = !rows[0]!.read_only
    return !isUseful
  } finally {
    session.release(!isUseful)
  }
}

/** The migrations in the project's folder that the database has not finished, in order. */
export async function pendingMigrations(prisma: PrismaClient): Promise<readonly string[]> {
  return (await migrationState(prisma)).pending
}

/** Names of migrations, in order. */
interface MigrationState {
  /** The project's folder has these, but the database has not finished them. */
  readonly pending: readonly string[]
  /** The database began these, and has neither finished nor rolled them back. One of them may still be running. */
  readonly failed: readonly string[]
  /** The database finished these, but the project's folder does not have them. */
  readonly unknown: readonly string[]
}

export async function migrationState(prisma: PrismaClient): Promise<MigrationState> {
  const known = await knownMigrations()
  const rows = await recordedMigrations(prisma)
  const applied = new Set(rows.filter(({ finished }) => finished).map(({ name }) => name))
  return {
    pending: known.filter((name) => !applied.has(name)),
    failed: rows
      .filter(({ finished }) => !finished)
      .map(({ name }) => name)
      .sort(),
    unknown: [...applied].filter((name) => !known.includes(name)).sort(),
  }
}

/** The migrations in the project's folder, in order. */
export async function knownMigrations(): Promise<readonly string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

async function recordedMigrations(
  prisma: PrismaClient,
): Promise<readonly { name: string; finished: boolean }[]> {
  const [table] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`
  if (!table?.exists) return []

  return prisma.$queryRaw`
    SELECT migration_name AS "name", finished_at IS NOT NULL AS "finished"
    FROM _prisma_migrations WHERE rolled_back_at IS NULL`
}
