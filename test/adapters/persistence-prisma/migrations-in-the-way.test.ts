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
