import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { query, serverUrl } from '../support/database.ts'
import { DIFF, LIBRARY_TABLES, library, tables } from './library.ts'

// One after the other: a command is two or three processes, each with an engine to load.

test.after('no shadow database is left', async (t) => {
  const names = `SELECT datname FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db_%'`
  t.deepEqual(await query(serverUrl(), names), [])
})

test.serial('generate needs no database', async (t) => {
  const { project } = await library(t)

  const generate = await project.prisma('generate')

  t.is(generate.status, 0, generate.output)
  t.true(existsSync(join(project.folder, 'generated', 'client.ts')))
})

test.serial('dev makes a migration of the models and applies it, creating the database', async (t) => {
  const { project, env, url } = await library(t)

  const dev = await project.prisma('migrate dev --name library', env)

  t.is(dev.status, 0, dev.output)
  t.regex((await project.migrations()).join(), /^\d+_library$/)
  t.deepEqual(await tables(url), ['Author', 'Book', '_prisma_migrations'])
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

test.serial('deploy applies every pending migration, creating the database', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await project.writeMigration('2_more', 'CREATE TABLE "More" ("id" INTEGER)')

  const deploy = await project.prisma('migrate deploy', env)

  t.is(deploy.status, 0, deploy.output)
  t.deepEqual(await tables(url), ['Author', 'Book', 'More', '_prisma_migrations'])
})

test.serial('deploys that start together apply a migration once', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)

  const deploys = await Promise.all([1, 2].map(() => project.prisma('migrate deploy', env)))

  for (const { status, output } of deploys) t.is(status, 0, output)
  t.is((await query(url, 'SELECT 1 FROM _prisma_migrations')).length, 1)
})

test.serial('a migration may have semicolons in functions, strings and comments', async (t) => {
  const body = `$$ BEGIN RETURN 'three; four'; END; $$`
  const migration = `-- One; two.\nCREATE FUNCTION answer() RETURNS text LANGUAGE plpgsql AS ${body};`
  const { project, env, url } = await library(t, migration)

  const deploy = await project.prisma('migrate deploy', env)

  t.is(deploy.status, 0, deploy.output)
  t.deepEqual(await query(url, 'SELECT answer()'), [{ answer: 'three; four' }])
})

test.serial('status ends with 0, and with 1 while a migration is pending', async (t) => {
  const { project, env } = await library(t, LIBRARY_TABLES)
  await project.prisma('migrate deploy', env)

  const deployed = await project.prisma('migrate status', env)
  await project.writeMigration('2_more', 'CREATE TABLE "More" ("id" INTEGER)')
  const pending = await project.prisma('migrate status', env)

  t.is(deployed.status, 0, deployed.output)
  t.is(pending.status, 1, pending.output)
  t.regex(pending.output, /2_more/)
})

test.serial(
  'diff ends with 0 while the database is as the models say, and with 2 after a drift',
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

test.serial('diff replays migrations in a database of its own', async (t) => {
  const { project, env, url } = await library(t, LIBRARY_TABLES)
  await query(serverUrl(), `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)

  const diff = await project.prisma(
    'migrate diff --from-migrations migrations --to-schema schema.prisma --exit-code',
    env,
  )

  t.is(diff.status, 0, diff.output)
  t.deepEqual(await tables(url), [])
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
