import test from 'ava'
import { mailsTo, openChallenge, registerUser, until } from '../../test/journeys/client.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { call } from '../../test/support/http-call.ts'
import { STEPS } from './steps.ts'
import {
  assertOutage,
  assertOutOfService,
  inTime,
  ready,
  startTroubledService,
  type TroubledService,
} from './troubled-service.ts'

/* All tests share one service, so they run one after the other. */

let service: TroubledService

test.before(async () => {
  const database = await createTestDatabase()
  service = await startTroubledService(database.url)
})

test.after.always(async () => {
  await service?.end()
})

for (const { name, family, load, save, status, again, storedByTwo, prepare } of STEPS) {
  for (const marker of load ? [load, save] : [save]) {
    test.serial(
      `${name} that is cut off before ${marker} is a 503, stored nowhere, and can be repeated`,
      async (t) => {
        const attempt = await prepare(service)

        const struck = service.proxy.strike({ marker, at: 'request', how: 'cut' })
        const reply = await inTime(attempt.send())
        await struck

        assertOutage(t, reply, family, name)
        t.is(await attempt.stored(), 0)
        t.is((await attempt.send()).status, status)
        t.is(await attempt.stored(), 1)
      },
    )
  }

  test.serial(
    `${name} whose ${save} is stored and its answer lost is a 503, and stored once when it is repeated`,
    async (t) => {
      const attempt = await prepare(service)

      const struck = service.proxy.strike({ marker: save, at: 'answer', how: 'cut' })
      const reply = await inTime(attempt.send())
      await struck

      assertOutage(t, reply, family, name)
      t.is(await attempt.stored(), 1)
      t.is((await attempt.send()).status, again)
      t.is(await attempt.stored(), storedByTwo)
    },
  )
}

test.serial('an initiate whose answer was lost sends one mail, also when it is repeated', async (t) => {
  const { url, proxy, db } = service
  const { userId, email, token } = await registerUser(url)
  const { id, initiate } = await openChallenge(url, userId)

  const struck = proxy.strike({ marker: 'step-ups.save', at: 'answer', how: 'cut' })
  t.is((await call(url, 'POST', initiate, { token })).status, 503)
  await struck
  const repeated = await call(url, 'POST', initiate, { token })

  t.is(repeated.status, 429)
  t.true(Number(repeated.headers.get('Retry-After')) > 0)
  await until(
    async () =>
      (await db.query("SELECT 1 FROM challenge_events WHERE challenge_id = $1 AND type = 'otp-sent'", [id]))
        .rowCount,
    (sent) => sent === 1,
  )
  t.is((await mailsTo(url, email)).length, 1)
})

test.serial(
  'while the database refuses connections every step is a 503, and all goes on by itself',
  async (t) => {
    const { url, proxy } = service
    const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))

    await proxy.refuse()
    await assertOutOfService(t, url)
    const replies = await Promise.all(attempts.map((attempt) => inTime(attempt.send())))
    for (const [n, { name, family }] of STEPS.entries()) assertOutage(t, replies[n]!, family, name)
    for (const attempt of attempts) t.is(await attempt.stored(), 0)

    await proxy.pass()
    await ready(url)
    for (const [n, { name, status }] of STEPS.entries()) {
      t.is((await attempts[n]!.send()).status, status, name)
      t.is(await attempts[n]!.stored(), 1, name)
    }
  },
)

test.serial('a slow database makes every step slow, and changes nothing else', async (t) => {
  const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))

  service.proxy.slow(100)
  const replies = await Promise.all(attempts.map((attempt) => inTime(attempt.send())))
  await service.proxy.pass()
  for (const [n, { name, status }] of STEPS.entries()) {
    t.is(replies[n]!.status, status, name)
    t.is(await attempts[n]!.stored(), 1, name)
  }
})

test.serial('no fault made the process fail, and its log holds no address', (t) => {
  t.is(service.process.process.exitCode, null)
  t.notRegex(service.process.output(), /FATAL|@example\.com/)
})
