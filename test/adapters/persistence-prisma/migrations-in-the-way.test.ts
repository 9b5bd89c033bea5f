import test from 'ava'
import pg from 'pg'
import { migrateDatabase } from '../../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { createTestDatabase, query } from '../../support/database.ts'

const MIGRATION = '20261123020000_trace_context'

test('a migration that cannot get its lock in time changes nothing, and goes through when it is run again', async (t) => {
  const { url } = await createTestDatabase()
  await query(url, `ALTER TABLE otp_issuances DROP COLUMN trace_context CASCADE`)
  await query(url, `DELETE FROM _prisma_migrations WHERE migration_name = '${MIGRATION}'`)
  // As the role of deploy/postgresql/roles.sql, but sooner.
  const owner = new URL(url)
  owner.searchParams.set('options', '-c lock_timeout=300ms')
  const reader = new pg.Client(url)
  await reader.connect()
  t.teardown(() => reader.end())
  await reader.query('BEGIN')
  await reader.query('SELECT 1 FROM otp_issuances')

  const error = await t.throwsAsync(migrateDatabase(owner.href))

  t.regex(error?.message ?? '', /lock timeout.*nothing has changed\. Run countersign migrate again\.$/s)
  const columns = await query(
    url,
    `SELECT 1 FROM information_schema.columns WHERE table_name = 'otp_issuances' AND column_name = 'trace_context'`,
  )
  t.deepEqual(columns, [])

  await reader.query('ROLLBACK')
  t.deepEqual(await migrateDatabase(owner.href), [MIGRATION])
})

test('a migration that builds an index and cannot get its lock is left for somebody to look at', async (t) => {
  const { url } = await createTestDatabase()
  const index = '20261123010200_suppressed_address_index'
  await query(url, `DROP INDEX subject_standings_suppressed_address_idx`)
  await query(url, `DELETE FROM _prisma_migrations WHERE migration_name = '${index}'`)
  const owner = new URL(url)
  owner.searchParams.set('options', '-c lock_timeout=300ms')
  const writer = new pg.Client(url)
  await writer.connect()
  t.teardown(() => writer.end())
  await writer.query('BEGIN')
  await writer.query('LOCK TABLE subject_standings IN ROW EXCLUSIVE MODE')

  const error = await t.throwsAsync(migrateDatabase(owner.href))

  t.regex(error?.message ?? '', /lock timeout/)
  t.notRegex(error?.message ?? '', /again/)
  await writer.query('ROLLBACK')
  await t.throwsAsync(migrateDatabase(owner.href), { message: /failed migrations/ })
})

test('a migration that commits its steps keeps them when it cannot get a lock, and goes on when it is run again', async (t) => {
  const { url } = await createTestDatabase()
  const columns = '20261128170001_bucket_columns'
  await query(
    url,
    'ALTER TABLE users DROP COLUMN bucket CASCADE',
    'ALTER TABLE challenge_strangers DROP COLUMN bucket CASCADE',
    `DELETE FROM _prisma_migrations WHERE migration_name = '${columns}'`,
  )
  const owner = new URL(url)
  owner.searchParams.set('options', '-c lock_timeout=300ms')
  const reader = new pg.Client(url)
  await reader.connect()
  t.teardown(() => reader.end())
  await reader.query('BEGIN')
  await reader.query('SELECT 1 FROM challenge_strangers')
  const tables = () =>
    query(
      url,
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_name IN ('users', 'challenge_strangers') AND column_name = 'bucket' ORDER BY 1`,
    )

  const error = await t.throwsAsync(migrateDatabase(owner.href))

  t.regex(error?.message ?? '', /lock timeout.*What it has done stays\. Run countersign migrate again\.$/s)
  t.deepEqual(await tables(), [{ name: 'users' }])

  await reader.query('ROLLBACK')
  t.deepEqual(await migrateDatabase(owner.href), [columns])
  t.deepEqual(await tables(), [{ name: 'challenge_strangers' }, { name: 'users' }])
})
