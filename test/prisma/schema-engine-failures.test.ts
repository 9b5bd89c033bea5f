import test from 'ava'
import { query } from '../support/database.ts'
import { DIFF, LIBRARY_TABLES, library, tables } from './library.ts'

// One after the other, as in schema-engine.test.ts.

test.serial(
  'a failed migration says why, leaves nothing of itself and stops deploys until resolved',
  async (t) => {
    const { project, env, url } = await library(t, `${LIBRARY_TABLES} SELECT * FROM "Nobody";`)

    const failed = await project.prisma('migrate deploy', env)
    const left = await tables(url)
    await project.writeMigration('1_library', LIBRARY_TABLES)
    const stopped = await project.prisma('migrate deploy', env)
    const resolved = await project.prisma('migrate resolve --rolled-back 1_library', env)
    const deployed = await project.prisma('migrate deploy', env)

    t.not(failed.status, 0)
    t.regex(failed.output, /Nobody/)
    t.deepEqual(left, ['_prisma_migrations'])
    t.not(stopped.status, 0)
    t.regex(stopped.output, /P3009/)
    t.is(resolved.status, 0, resolved.output)
    t.is(deployed.status, 0, deployed.output)
    t.deepEqual(await tables(url), ['Author', 'Book', '_prisma_migrations'])
  },
)

test.serial('a migration fails if the server cuts its session off', async (t) => {
  const { project, env } = await library(t, 'SELECT pg_terminate_backend(pg_backend_pid());')

  const deploy = await project.prisma('migrate deploy', env)

  t.not(deploy.status, 0)
  t.regex(deploy.output, /terminating connection|closed the connection/)
})

test.serial('a command fails if the engine panics', async (t) => {
  const { project, env } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)

  const status = await project.prisma('migrate status', { ...env, FORCE_PANIC_SCHEMA_ENGINE: '1' })

  t.not(status.status, 0)
  t.regex(status.output, /panicked/)
})

test.serial('status fails if the database is missing, and does not create it', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)

  const status = await project.prisma('migrate status', env)

  t.not(status.status, 0)
  t.regex(status.output, /P1003.*does not exist/)
  await t.throwsAsync(query(url, 'SELECT 1'), { code: '3D000' })
})

test.serial('a command that needs a database says how to get one', async (t) => {
  const { project } = await library(t, LIBRARY_TABLES)

  const deploy = await project.prisma('migrate deploy', { DATA_DIR: project.folder })

  t.not(deploy.status, 0)
  t.regex(deploy.output, /npm start.*DATABASE_URL=/)
})

const UNUSABLE: readonly [string, string, (url: URL) => void, RegExp][] = [
  ['deploy', 'does not run', (url) => (url.port = '1'), /P1001.*127\.0\.0\.1:1\b.*ECONNREFUSED/],
  ['deploy', 'cannot be found', (url) => (url.hostname = 'nowhere.invalid'), /P1001.*nowhere\.invalid/],
  ['deploy', 'refuses the password', () => {}, /P1000.*password authentication failed/],
  ['deploy', 'is asked for a schema', (url) => url.searchParams.set('schema', 'other'), /P1013.*schema/],
  // Most commands try the connection before they talk to the engine; this one does not.
  ['diff', 'does not run', (url) => (url.port = '1'), /P1001.*127\.0\.0\.1:1\b.*ECONNREFUSED/],
  ['diff', 'refuses the password', () => {}, /P1000.*password authentication failed/],
]

for (const [command, what, spoil, says] of UNUSABLE) {
  test.serial(`${command} fails if the server ${what}, and keeps the password to itself`, async (t) => {
    const { project, url } = await library(t, LIBRARY_TABLES)
    const spoilt = new URL(url)
    spoilt.password = 'swordfish'
    spoil(spoilt)

    const outcome = await project.prisma(command === 'diff' ? DIFF : 'migrate deploy', {
      DATABASE_URL: spoilt.href,
    })

    t.not(outcome.status, 0)
    t.regex(outcome.output.replaceAll(/\s+/g, ' '), says)
    t.false(outcome.output.includes('swordfish'))
  })
}
