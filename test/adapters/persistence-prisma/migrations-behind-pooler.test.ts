import test from 'ava'
import { migrateDatabase } from '../../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { startPooler } from '../../doubles/pooler.ts'
import { createTestDatabase, missingDatabaseUrl, query } from '../../support/database.ts'
import { hasPgBouncer, startPgBouncer } from '../../support/pgbouncer.ts'

async function createEmptyDatabase(): Promise<string> {
  const url = missingDatabaseUrl()
  await query((await createTestDatabase()).url, `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)
  return url
}

const tables = (url: string) => query(url, `SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)

for (const parameters of ['', '?pgbouncer=true']) {
  test(`migrations refuse a pooler in transaction mode and change nothing: "${parameters}"`, async (t) => {
    const url = await createEmptyDatabase()
    const pooler = await startPooler(url, { mode: 'transaction' })
    t.teardown(() => {
      pooler.server.close()
    })

    await t.throwsAsync(migrateDatabase(`${pooler.url}${parameters}`), {
      message: /pooler in transaction mode.*connect to the server itself/,
    })

    t.deepEqual(await tables(url), [])
  })
}

test('migrations go through a pooler that gives each connection a session of its own', async (t) => {
  const url = await createEmptyDatabase()
  const pooler = await startPooler(url, { mode: 'session' })
  t.teardown(() => {
    pooler.server.close()
  })

  t.true((await migrateDatabase(pooler.url)).length > 0)
})

test('migrations that are applied already need no session, so a pooler is no obstacle', async (t) => {
  const pooler = await startPooler((await createTestDatabase()).url, { mode: 'transaction' })
  t.teardown(() => {
    pooler.server.close()
  })

  t.deepEqual(await migrateDatabase(`${pooler.url}?pgbouncer=true`), [])
})

const withPgBouncer = hasPgBouncer ? test : test.skip
withPgBouncer(
  'migrations refuse PgBouncer in transaction mode, and its session mode takes them',
  async (t) => {
    const url = await createEmptyDatabase()
    const bouncer = await startPgBouncer(url, { pool_mode: 'transaction' })
    t.teardown(bouncer.stop)
    const pooled = `${bouncer.url}?pgbouncer=true`

    await t.throwsAsync(migrateDatabase(pooled), { message: /pooler in transaction mode/ })
    t.deepEqual(await tables(url), [])

    await bouncer.configure({ pool_mode: 'session' })
    t.true((await migrateDatabase(pooled)).length > 0)
  },
)
