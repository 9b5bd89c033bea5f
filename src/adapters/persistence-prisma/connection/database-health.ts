import { readdir } from 'node:fs/promises'
import type { HealthCheck } from '../../../contracts/health-check.ts'
import type { PrismaClient } from '../generated/client.ts'

const MIGRATIONS = new URL('../../../../prisma/migrations/', import.meta.url)

/** The database answers, takes what is stored, and has every migration that this version of the service was written for. */
export class DatabaseHealth implements HealthCheck {
  readonly name = 'database'
  readonly #prisma: PrismaClient

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma
  }

  async problem(): Promise<string | undefined> {
    let pending: readonly string[]
    try {
      if (await isReadOnly(this.#prisma)) return 'the database is read-only'
      pending = await pendingMigrations(this.#prisma)
    } catch {
      return 'the database does not answer'
    }
    return pending.length > 0
      ? `migrations are pending (countersign migrate): ${pending.join(', ')}`
      : undefined
  }
}

/** So is a standby, and a server whose operator wants it so. It answers, and every decision fails on it. */
async function isReadOnly(prisma: PrismaClient): Promise<boolean> {
  const [row] = await prisma.$queryRaw<{ read_only: boolean }[]>`
    SELECT current_setting('transaction_read_only')::boolean AS "read_only"`
  return row!.read_only
}

/** Migrations in the project's folder that the database has not finished, in their order. */
export async function pendingMigrations(prisma: PrismaClient): Promise<readonly string[]> {
  return (await migrationState(prisma)).pending
}

/** Names of migrations, in their order. */
interface MigrationState {
  /** In the project's folder, and not finished by the database. */
  readonly pending: readonly string[]
  /** Begun by the database and neither finished nor rolled back, as by a hand that is still at it. */
  readonly failed: readonly string[]
  /** Finished by the database, and not in the project's folder. */
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

/** The migrations in the project's folder, in their order. */
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
