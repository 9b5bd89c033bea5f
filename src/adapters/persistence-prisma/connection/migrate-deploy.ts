import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { z } from 'zod'
import { connectPrisma } from './connect-prisma.ts'
import { knownMigrations, pendingMigrations } from './database-health.ts'
import { detectPooling } from './pooling.ts'
import { DatabaseMissing, translateStorageErrors } from './storage-errors.ts'

const PRISMA = fileURLToPath(new URL('../../../../prisma/', import.meta.url))
const MIGRATIONS = join(PRISMA, 'migrations')
/** A checkout has its source. A package has the build, because Node refuses to run TypeScript in `node_modules`. */
const SCHEMA_ENGINE = import.meta.filename.endsWith('.ts')
  ? join(PRISMA, 'schema-engine', 'schema-engine.ts')
  : fileURLToPath(new URL('../../../schema-engine/schema-engine.js', import.meta.url))

/** The answers of the engine: success and failure. */
const Applied = z.object({ result: z.object({ appliedMigrationNames: z.array(z.string()) }) })
const Failed = z.object({ error: z.object({ data: z.object({ message: z.string() }) }) })
/** The line on stderr with which the engine reports a failed command of its own. */
const FailedCommand = z.object({ fields: z.object({ message: z.string() }) })

/** SQLSTATE 55P03, `lock_not_available`. */
const LOCK_TIMEOUT = /55P03|lock timeout/
const RUN_AGAIN = {
  transaction: 'It could not get a lock in time, and nothing has changed. Run countersign migrate again.',
  steps: 'It could not get a lock in time. What it has done stays. Run countersign migrate again.',
}

/**
 * Applies the pending migrations and returns their names. Creates the database if it does not exist. Starts no engine if
 * nothing is pending, as on all starts of a development set-up but the first. It calls the schema engine directly: the Prisma
 * CLI sends the same request, takes a second longer to load, and is not part of an installed package.
 *
 * @throws {Error} with the engine's message and no part of the URL.
 */
export async function migrateDatabase(url: string): Promise<readonly string[]> {
  const pending = await pendingIn(url)
  if (pending?.length === 0) return []
  if (!pending) await createDatabase(url)

  const { stdout, stderr } = await runEngine(url, [], `${JSON.stringify(await applyMigrations())}\n`)
  const answer = parsed(stdout)
  const applied = Applied.safeParse(answer).data
  if (applied) return applied.result.appliedMigrationNames

  const reason = Failed.safeParse(answer).data?.error.data.message ?? (stdout || stderr)
  const again = LOCK_TIMEOUT.test(reason) ? await allowAgain(url) : undefined
  throw new Error(`The migrations failed:\n${reason}${again ? `\n${RUN_AGAIN[again]}` : ''}`)
}

/**
 * Records that the migration that gave up can be repeated, so that the next run applies it. Otherwise the engine would refuse every run
 * until somebody resolves it in a checkout. A migration is a transaction, except two kinds. A block that commits its steps goes on where it
 * was. One that builds an index concurrently leaves an invalid index, so somebody has to look. Undefined for such a migration.
 */
async function allowAgain(url: string): Promise<keyof typeof RUN_AGAIN | undefined> {
  const { pool, close } = connectPrisma({ url, onConnectionLost: () => {} })
  try {
    const { rows } = await pool.query<{ id: string; name: string }>(
      'SELECT id, migration_name AS name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL',
    )
    const [failed, ...others] = rows
    if (!failed || others.length > 0) return undefined
    const script = await readFile(join(MIGRATIONS, failed.name, 'migration.sql'), 'utf8')
    if (/\bCONCURRENTLY\b/i.test(script)) return undefined
    await pool.query('UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = $1', [failed.id])
    return /^DO\b/m.test(script) ? 'steps' : 'transaction'
  } finally {
    await close()
  }
}

/** Undefined if the database does not exist. @throws {Error} if a pooler would lose the lock of the migrations. */
async function pendingIn(url: string): Promise<readonly string[] | undefined> {
  const { pool, prisma, close } = connectPrisma({ url, onConnectionLost: () => {} })
  try {
    const pending = await translateStorageErrors(pendingMigrations(prisma))
    if (pending.length > 0) await translateStorageErrors(assertOwnSession(pool))
    return pending
  } catch (error) {
    if (error instanceof DatabaseMissing) return undefined
    throw error
  } finally {
    await close()
  }
}

/** The engine locks out other migrations for a session. A pooler would hand the lock on to the next connection. */
async function assertOwnSession(pool: pg.Pool): Promise<void> {
  const client = await pool.connect()
  try {
    const { mode } = await detectPooling(client, pool, false)
    if (mode !== 'transaction') return
    throw new Error(
      'DATABASE_URL leads through a pooler in transaction mode, which loses the lock of the migrations: connect to the server itself',
    )
  } finally {
    client.release(true)
  }
}

async function createDatabase(url: string): Promise<void> {
  const { exitCode, stderr } = await runEngine(url, ['cli', 'create-database'], '')
  if (exitCode === 0) return
  const reason = FailedCommand.safeParse(parsed(stderr)).data?.fields.message ?? stderr
  throw new Error(`The database cannot be created:\n${reason}`)
}

/** Passes the URL through a pipe of its own, number 3, because every account on the machine can read arguments. */
async function runEngine(url: string, args: readonly string[], input: string) {
  const engine = spawn(process.execPath, [SCHEMA_ENGINE, '--datasource-fd', '3', ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const exit = once(engine, 'exit')
  const datasource = engine.stdio[3] as Writable
  datasource.end(JSON.stringify({ url }))
  engine.stdin!.end(input)
  const [stdout, stderr] = await Promise.all([text(engine.stdout!), text(engine.stderr!)])
  const [exitCode] = await exit
  return { exitCode, stdout, stderr }
}

/** The same request as that of `prisma migrate deploy`. */
async function applyMigrations() {
  const migrationDirectories = await Promise.all(
    (await knownMigrations()).map(async (path) => {
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
