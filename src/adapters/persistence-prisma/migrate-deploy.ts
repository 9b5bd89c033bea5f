import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connectPrisma } from './connect-prisma.ts'
import { pendingMigrations } from './database-health.ts'

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Brings the embedded database of a development set-up up to date, with what `npm run migrate` does in production: the
 * Prisma CLI, under `env`, which has to name the database. Starts nothing if nothing is pending, as on all starts but one.
 */
export async function migrateEmbeddedDatabase(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { prisma, close } = connectPrisma({ url, onConnectionLost: () => {} })
  try {
    if ((await pendingMigrations(prisma)).length === 0) return
  } finally {
    await close()
  }
  const cli = join(
    dirname(createRequire(import.meta.url).resolve('prisma/package.json')),
    'build',
    'index.js',
  )
  await promisify(execFile)(process.execPath, [cli, 'migrate', 'deploy'], { cwd: PROJECT, env })
}
