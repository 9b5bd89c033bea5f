import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { connectPrisma } from './connect-prisma.ts'
import { pendingMigrations } from './database-health.ts'

const PRISMA = fileURLToPath(new URL('../../../prisma/', import.meta.url))
const MIGRATIONS = join(PRISMA, 'migrations')
const SCHEMA_ENGINE = join(PRISMA, 'schema-engine', 'schema-engine.ts')

/** What the engine answers when all went well. */
const Answer = z.object({ result: z.object({ appliedMigrationNames: z.array(z.string()) }) })

/**
 * Brings the embedded database of a development set-up up to date, as `npm run migrate` does in production. Starts nothing if
 * nothing is pending, as on all starts but one. The schema engine is asked directly: the Prisma CLI, which would ask it
 * the very same, takes a second longer to load.
 */
export async function migrateEmbeddedDatabase(url: string): Promise<void> {
  const { prisma, close } = connectPrisma({ url, onConnectionLost: () => {} })
  try {
    if ((await pendingMigrations(prisma)).length === 0) return
  } finally {
    await close()
  }

  const engine = spawn(process.execPath, [SCHEMA_ENGINE, '--datasource', JSON.stringify({ url })])
  const exit = once(engine, 'exit')
  engine.stdin.end(`${JSON.stringify(await applyMigrations())}\n`)
  const [answer, log] = await Promise.all([text(engine.stdout), text(engine.stderr)])
  await exit

  if (!Answer.safeParse(parsed(answer)).success) throw new Error(`The migrations failed:\n${answer || log}`)
}

/** The request of the CLI's `migrate deploy`. */
async function applyMigrations() {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const migrationDirectories = await Promise.all(
    names.sort().map(async (path) => {
      const value = await readFile(join(MIGRATIONS, path, 'migration.sql'), 'utf8')
      return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value } } }
    }),
  )
  const path = 'migration_lock.toml'
  const lockfile = { path, content: await readFile(join(MIGRATIONS, path), 'utf8') }
  return {
    jsonrpc: '2.0',
    id: 1,
    method: 'applyMigrations',
    params: {
      migrationsList: { baseDir: MIGRATIONS, lockfile, migrationDirectories, shadowDbInitScript: '' },
      filters: { externalTables: [], externalEnums: [] },
    },
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
