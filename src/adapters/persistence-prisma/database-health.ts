import { readdir } from 'node:fs/promises'
import type { HealthCheck } from '../../application/ports/health-check.ts'
import type { PrismaClient } from './generated/client.ts'

const MIGRATIONS = new URL('../../../prisma/migrations/', import.meta.url)

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
    return pending.length > 0 ? `migrations are pending (npm run migrate): ${pending.join(', ')}` : undefined
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
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  const known = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const applied = await appliedMigrations(prisma)
  return known.filter((name) => !applied.has(name)).sort()
}

async function appliedMigrations(prisma: PrismaClient): Promise<ReadonlySet<string>> {
  const [table] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`
  if (!table?.exists) return new Set()

  const rows = await prisma.$queryRaw<{ migration_name: string }[]>`
    SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`
  return new Set(rows.map((row) => row.migration_name))
}
