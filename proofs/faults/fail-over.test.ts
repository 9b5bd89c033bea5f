import test from 'ava'
import pg from 'pg'
import { codeIn, mailsTo } from '../../test/journeys/client.ts'
import { brokenPromises, type Promised } from '../../test/journeys/promised-walks.ts'
import { startOwnServer } from './own-server.ts'
import { assertOutOfService, ready, startTroubledService } from './troubled-service.ts'
import { keepWalking } from './walkers.ts'

test('what was answered before the primary died is on the standby that takes its place', async (t) => {
  t.timeout(150_000)
  const primary = await startOwnServer()
  t.teardown(primary.stop)
  const standby = await primary.standBy()
  t.teardown(standby.stop)
  const db = new pg.Pool({ connectionString: standby.url })
  const service = await startTroubledService(primary.url)
  t.teardown(service.end)
  t.teardown(() => db.end())
  const { url, proxy, process } = service
  const promised: Promised = new Map()

  const walkers = keepWalking(t, url, promised)
  await walkers.more()
  await primary.kill()
  await assertOutOfService(t, url)
  proxy.lead(standby.url)
  // The standby answers, but is read-only until its promotion.
  await assertOutOfService(t, url)
  const atTheDeath = new Map([...promised].map(([id, steps]) => [id, new Set(steps)]))
  t.deepEqual(await brokenPromises(db, atTheDeath), [])
  await standby.promote()
  await ready(url)
  await walkers.more()
  await walkers.end()
  t.true((await service.sharedStatements()) > 0, 'requests shared a statement')

  t.deepEqual(await brokenPromises(db, promised), [])
  const { rows } = await db.query<{ recipient: string }>(
    `SELECT recipient FROM otp_issuances WHERE status = 'sent'`,
  )
  t.true(rows.length > 0)
  for (const { recipient } of rows) {
    const mails = await mailsTo(url, recipient)
    t.true(mails.length <= 2)
    t.is(new Set(mails.map(codeIn)).size, 1)
  }
  t.notRegex(process.output(), /FATAL/)
})
