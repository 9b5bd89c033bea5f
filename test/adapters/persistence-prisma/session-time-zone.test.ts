import test, { type ExecutionContext } from 'ava'
import {
  type ConnectionSettings,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import { createTestDatabase, query } from '../../support/database.ts'
import { hasPgBouncer, startPgBouncer } from '../../support/pgbouncer.ts'

const NOON = new Date('2030-01-01T12:00:00.000Z')

/** A database whose sessions begin in this zone, as on a server that was set up on a machine there. */
async function databaseIn(zone: string): Promise<string> {
  const { url } = await createTestDatabase()
  await query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET TimeZone = '${zone}'`)
  return url
}

/** Stores a time with the Prisma client. Asserts that the server, the client and a plain statement agree on the moment. */
async function assertOneMoment(t: ExecutionContext, url: string, settings: Partial<ConnectionSettings> = {}) {
  const { prisma, statements, close } = connectPrisma({ url, onConnectionLost: () => {}, ...settings })
  t.teardown(close)

  await prisma.user.create({
    data: { bucket: 0, userId: 'anna', email: 'anna@example.org', createdAt: NOON, updatedAt: NOON },
  })

  t.deepEqual(await query(url, 'SELECT extract(epoch FROM created_at)::int AS seconds FROM users'), [
    { seconds: NOON.getTime() / 1000 },
  ])
  t.deepEqual((await prisma.user.findFirstOrThrow()).createdAt, NOON)
  t.deepEqual(await statements.query(Prisma.sql`SELECT created_at AS "createdAt" FROM users`), [
    { createdAt: NOON },
  ])
}

for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
  test(`a stored time is the same moment on a server whose zone is ${zone}`, async (t) => {
    await assertOneMoment(t, await databaseIn(zone))
  })

  test(`where sessions have to be writable, it is the same moment in ${zone}, too`, async (t) => {
    await assertOneMoment(t, await databaseIn(zone), { onlyWritable: true })
  })
}

const withPgBouncer = hasPgBouncer ? test : test.skip

withPgBouncer('a stored time is the same moment behind PgBouncer in transaction mode', async (t) => {
  const url = await databaseIn('America/New_York')
  const { url: pooled, stop } = await startPgBouncer(url, { pool_mode: 'transaction' })
  t.teardown(stop)

  await assertOneMoment(t, url, { url: `${pooled}?pgbouncer=true` })
})
