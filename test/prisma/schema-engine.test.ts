import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { missingDatabaseUrl, query, serverUrl } from '../database.ts'
import { ScratchProject } from './scratch-project.ts'

const LIBRARY_MODELS = `
model Author {
  id    Int    @id
  name  String
  books Book[]
}
model Book {
  id       Int    @id
  authorId Int
  author   Author @relation(fields: [authorId], references: [id])
}
`
const LIBRARY_TABLES = `
CREATE TABLE "Author" ("id" INTEGER NOT NULL, "name" TEXT NOT NULL, CONSTRAINT "Author_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Book" ("id" INTEGER NOT NULL, "authorId" INTEGER NOT NULL, CONSTRAINT "Book_pkey" PRIMARY KEY ("id"));
ALTER TABLE "Book" ADD CONSTRAINT "Book_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Author"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
`
const DIFF = 'migrate diff --from-config-datasource --to-schema schema.prisma --exit-code'

// One after the other: each command is two processes and loads two engines.

test.after('no shadow database is left', async (t) => {
  const [{ count }] = (await query(
    serverUrl(),
    `SELECT count(*)::int FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db_%'`,
  )) as [{ count: number }]
  t.is(count, 0)
})

test.serial('generate needs no database', async (t) => {
  const { project } = await library(t)

  const generate = await project.prisma('generate')

  t.is(generate.status, 0, generate.output)
  t.true(existsSync(join(project.folder, 'generated', 'client.ts')))
})

test.serial('a command on a database says how to get one when there is none', async (t) => {
  const { project } = await library(t)

  const deploy = await project.prisma('migrate deploy', { DATA_DIR: project.folder })

  t.not(deploy.status, 0)
  t.regex(deploy.output, /npm start.*DATABASE_URL=/)
})

test.serial(
  'dev makes a migration of the schema and applies it, to a database that it creates',
  async (t) => {
    const { project, env, url } = await library(t)

    const dev = await project.prisma('migrate dev --name library', env)

    t.is(dev.status, 0, dev.output)
    t.regex((await project.migrations()).join(), /^\d+_library$/)
    t.deepEqual(await tables(url), ['Author', 'Book', '_prisma_migrations'])
  },
)

test.serial('deploy applies every pending migration, to a database that it creates', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await project.writeMigration('2_more', 'CREATE TABLE "More" ("id" INTEGER)')

  const deploy = await project.prisma('migrate deploy', env)

  t.is(deploy.status, 0, deploy.output)
  t.deepEqual(await tables(url), ['Author', 'Book', 'More', '_prisma_migrations'])
})

test.serial('a migration may have semicolons in functions, strings and comments', async (t) => {
  const { project, env, url } = await library(
    t,
    `-- One; two.
    CREATE FUNCTION answer() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'three; four'; END; $$;`,
  )

  const deploy = await project.prisma('migrate deploy', env)

  t.is(deploy.status, 0, deploy.output)
  t.deepEqual(await query(url, 'SELECT answer()'), [{ answer: 'three; four' }])
})

test.serial('deploys that start together apply a migration once', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)

  const deploys = await Promise.all([
    project.prisma('migrate deploy', env),
    project.prisma('migrate deploy', env),
  ])

  for (const { status, output } of deploys) t.is(status, 0, output)
  t.is((await query(url, 'SELECT 1 FROM _prisma_migrations')).length, 1)
})

test.serial('status ends with 1 while a migration is pending, and with 0 after', async (t) => {
  const { project, env } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)

  const before = await project.prisma('migrate status', env)
  await project.writeMigration('2_more', 'CREATE TABLE "More" ("id" INTEGER)')
  const after = await project.prisma('migrate status', env)

  t.is(before.status, 0, before.output)
  t.is(after.status, 1, after.output)
  t.regex(after.output, /2_more/)
})

test.serial(
  'diff ends with 0 while the database is what the schema says, and with 2 once it has drifted',
  async (t) => {
    const { project, env, url } = await library(t, LIBRARY_TABLES)
    await project.prisma('migrate deploy', env)

    const equal = await project.prisma(DIFF, env)
    await query(url, 'ALTER TABLE "Author" ADD COLUMN "motto" TEXT')
    const drifted = await project.prisma(DIFF, env)

    t.is(equal.status, 0, equal.output)
    t.is(drifted.status, 2, drifted.output)
    t.regex(drifted.output, /motto/)
  },
)

test.serial('diff replays the migrations in a database of its own', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await query(serverUrl(), `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)

  const diff = await project.prisma(
    'migrate diff --from-migrations migrations --to-schema schema.prisma --exit-code',
    env,
  )

  t.is(diff.status, 0, diff.output)
  t.deepEqual(await tables(url), [])
})

test.serial('dev refuses a database that has drifted', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)
  await query(url, 'ALTER TABLE "Author" ADD COLUMN "motto" TEXT')

  const dev = await project.prisma('migrate dev --name more', env)

  t.not(dev.status, 0)
  t.regex(dev.output, /Drift detected/)
  t.deepEqual(await project.migrations(), ['1_library'])
})

test.serial('reset empties the database and applies every migration again', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)
  await query(url, `INSERT INTO "Author" VALUES (1, 'Ada')`, 'CREATE TABLE "Other" ()')

  const reset = await project.prisma('migrate reset --force', env)

  t.is(reset.status, 0, reset.output)
  t.deepEqual(await tables(url), ['Author', 'Book', '_prisma_migrations'])
  t.deepEqual(await query(url, 'SELECT * FROM "Author"'), [])
})

test.serial('a migration with an error fails, says why and leaves nothing of itself', async (t) => {
  const { project, env, url } = await library(t, `${LIBRARY_TABLES} SELECT * FROM "Nobody";`)

  const deploy = await project.prisma('migrate deploy', env)

  t.not(deploy.status, 0)
  t.regex(deploy.output, /Nobody/)
  t.deepEqual(await tables(url), ['_prisma_migrations'])
})

test.serial('a failed migration stops deploys until it is resolved', async (t) => {
  const { project, env, url } = await library(t, `${LIBRARY_TABLES} SELECT * FROM "Nobody";`)
  await project.prisma('migrate deploy', env)
  await project.writeMigration('1_library', LIBRARY_TABLES)

  const stopped = await project.prisma('migrate deploy', env)
  const resolved = await project.prisma('migrate resolve --rolled-back 1_library', env)
  const deployed = await project.prisma('migrate deploy', env)

  t.not(stopped.status, 0)
  t.regex(stopped.output, /P3009/)
  t.is(resolved.status, 0, resolved.output)
  t.is(deployed.status, 0, deployed.output)
  t.deepEqual(await tables(url), ['Author', 'Book', '_prisma_migrations'])
})

test.serial('a server that goes away during a migration fails it', async (t) => {
  const { project, env } = await library(t, 'SELECT pg_terminate_backend(pg_backend_pid());')

  const deploy = await project.prisma('migrate deploy', env)

  t.not(deploy.status, 0)
  t.regex(deploy.output, /Error/)
})

test.serial('an engine that panics fails the command', async (t) => {
  const { project, env } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)

  const status = await project.prisma('migrate status', { ...env, FORCE_PANIC_SCHEMA_ENGINE: '1' })

  t.not(status.status, 0)
  t.regex(status.output, /panicked/)
})

const PASSWORD = 'swordfish'
const UNUSABLE: readonly [string, (url: URL) => void, RegExp][] = [
  ['does not run', (url) => (url.port = '1'), /P1001.*127\.0\.0\.1:1\b.*ECONNREFUSED/],
  ['has an unknown name', (url) => (url.hostname = 'nowhere.invalid'), /P1001.*nowhere\.invalid/],
  ['refuses the password', () => {}, /P1000.*password authentication failed/],
  ['is asked for a schema', (url) => url.searchParams.set('schema', 'other'), /P1013.*schema/],
]

for (const [what, spoil, says] of UNUSABLE) {
  for (const command of ['migrate deploy', DIFF]) {
    test.serial(
      `${command.split(' --')[0]} fails if the server ${what}, and keeps the password to itself`,
      async (t) => {
        const { project, url } = await library(t, LIBRARY_TABLES)
        const spoilt = new URL(url)
        spoilt.password = PASSWORD
        spoil(spoilt)

        const outcome = await project.prisma(command, { DATABASE_URL: spoilt.href })

        t.not(outcome.status, 0)
        t.regex(outcome.output.replaceAll(/\s+/g, ' '), says)
        t.false(outcome.output.includes(PASSWORD))
      },
    )
  }
}

test.serial('status fails if the database is missing, and does not create it', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)

  const status = await project.prisma('migrate status', env)

  t.not(status.status, 0)
  t.regex(status.output, /P1003.*does not exist/)
  await t.throwsAsync(query(url, 'SELECT 1'), { code: '3D000' })
})

/** A project with the models of a library, if given with a migration, for a database that is not there. */
async function library(t: ExecutionContext, migration?: string) {
  const project = await ScratchProject.create(LIBRARY_MODELS)
  t.teardown(() => project.remove())
  if (migration) await project.writeMigration('1_library', migration)
  const url = missingDatabaseUrl()
  return { project, url, env: { DATABASE_URL: url } }
}

async function tables(url: string): Promise<string[]> {
  const rows = await query(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
  return (rows as { tablename: string }[]).map(({ tablename }) => tablename)
}
