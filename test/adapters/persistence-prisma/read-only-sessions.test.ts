import test, { type ExecutionContext } from 'ava'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseHealth } from '../../../src/adapters/persistence-prisma/connection/database-health.ts'
import { translateStorageErrors } from '../../../src/adapters/persistence-prisma/connection/storage-errors.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { createTestDatabase, query } from '../../support/database.ts'

const READ = Prisma.sql`SELECT 1 AS one FROM challenges`
const WRITE = Prisma.sql`DELETE FROM mailbox_issuances WHERE false`

async function connected(t: ExecutionContext) {
  const { url } = await createTestDatabase()
  const name = new URL(url).pathname.slice(1)
  const connections = connectPrisma({ url, onlyWritable: true, onConnectionLost: () => {} })
  t.teardown(connections.close)
  return {
    ...connections,
    /** For the sessions that begin from now on. */
    readOnly: () => query(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`),
    writable: () =>
      query(
        url,
        'SET default_transaction_read_only = off',
        `ALTER DATABASE ${name} RESET default_transaction_read_only`,
      ),
    url,
  }
}

const refused = { instanceOf: StorageUnavailable, message: /the database is read-only/ }

test('a session that cannot write gets no statement, not even one that reads', async (t) => {
  const { pool, prisma, statements, readOnly, writable } = await connected(t)
  await readOnly()

  await t.throwsAsync(statements.query(READ), refused)
  await t.throwsAsync(translateStorageErrors(prisma.$queryRaw(READ)), refused)
  await t.throwsAsync(translateStorageErrors(prisma.$transaction((all) => all.$queryRaw(READ))), refused)
  t.is(pool.totalCount, 0)

  await writable()
  t.deepEqual(await statements.query(READ), [])
})

test('a read-only database is not ready, and is again as soon as it can write', async (t) => {
  const connections = await connected(t)
  const health = new DatabaseHealth(connections)
  await connections.readOnly()
  t.is(await health.problem(), 'the database is read-only')

  await connections.writable()
  t.is(await health.problem(), undefined)
})

test('a session that becomes read-only is used no more', async (t) => {
  const { pool } = await connected(t)
  const session = await pool.connect()
  await session.query('SET default_transaction_read_only = on')
  session.release()

  t.is(pool.totalCount, 0)
})

test('a session on which a write fails as read-only is used no more, also after a transaction', async (t) => {
  const { pool, prisma, statements } = await connected(t)
  await t.throwsAsync(
    translateStorageErrors(
      prisma.$transaction(async (all) => {
        await all.$executeRaw`SET TRANSACTION READ ONLY`
        await all.$executeRaw(WRITE)
      }),
    ),
    refused,
  )

  t.is(pool.totalCount, 0)
  t.deepEqual(await statements.query(WRITE), [])
})

test('an error of another kind within a transaction costs no session', async (t) => {
  const { pool, prisma } = await connected(t)
  await t.throwsAsync(prisma.$transaction((all) => all.$executeRaw`SELECT 1 / 0`))

  t.is(pool.totalCount, 1)
})

test('a command that only reads may do so from a standby', async (t) => {
  const { url, readOnly } = await connected(t)
  await readOnly()
  const { statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)

  t.deepEqual(await statements.query(READ), [])
})
