import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import pg from 'pg'
import { findRunningServer } from '../../src/development/postgres/running-server.ts'
import { demandChallenge, randomDigest, registerUser, until } from '../../test/journeys/client.ts'
import { brokenPromises, type Promised, walk } from '../../test/journeys/promised-walks.ts'
import { startProcess } from '../../test/journeys/service-process.ts'
import { query } from '../../test/support/database.ts'
import { call } from '../../test/support/http-call.ts'
import { mountSmallDisk } from './small-disk.ts'
import { assertOutage, assertOutOfService, inTime, ready } from './troubled-service.ts'

/** Leaves room for the programs, which may have to be copied there. */
const MEGABYTES = 256
/** More data than one segment of the log can hold. */
const MORE_THAN_A_SEGMENT =
  'SELECT count(pg_logical_emit_message(FALSE, $$x$$, repeat($$x$$, 1000000))) FROM generate_series(1, 20)'

test('with its disk full the embedded database stores nothing more, and goes on by itself once there is room', async (t) => {
  t.timeout(150_000)
  const disk = await mountSmallDisk(MEGABYTES)
  if (!disk) {
    t.log('NOT RUN: this process may not mount a file system, so there is no disk to fill')
    t.pass()
    return
  }
  t.teardown(disk.remove)
  const service = await startProcess({ DATA_DIR: join(disk.path, 'data'), LOG_LEVEL: 'warn' })
  t.teardown(() => service.end())
  const { url } = service
  const databaseUrl = findRunningServer(join(disk.path, 'data', 'postgres'))!.url
  const promised: Promised = new Map()
  await walk(url, promised)
  const { userId } = await registerUser(url)
  const create = () => inTime(demandChallenge(url, userId, randomDigest(), randomUUID()))
  const created: string[] = []

  // Now a table cannot grow.
  await disk.fill()
  const refused = await until(
    async () => {
      const reply = await create()
      if (reply.status === 201) created.push(reply.body.challengeId)
      return reply
    },
    ({ status }) => status !== 201,
  )
  assertOutage(t, refused, 'mfa-challenge', 'create')
  t.is((await call(url, 'GET', '/healthz')).status, 200)

  // The server ends when its log cannot grow.
  await t.throwsAsync(query(databaseUrl, MORE_THAN_A_SEGMENT))
  await assertOutOfService(t, url)
  assertOutage(t, await create(), 'mfa-challenge', 'create')

  await disk.clear()
  await ready(url)
  await until(
    () =>
      walk(url, promised).then(
        () => 'there',
        (error) => error,
      ),
    (end) => end === 'there',
  )
  const db = new pg.Pool({ connectionString: databaseUrl })
  db.on('error', () => {})
  t.teardown(() => db.end())
  t.deepEqual(await brokenPromises(db, promised), [])
  const { rowCount } = await db.query('SELECT 1 FROM challenges WHERE id = ANY ($1)', [created])
  t.is(rowCount, created.length)
  t.notRegex(service.output(), /FATAL/)
})
