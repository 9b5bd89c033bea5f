import test from 'ava'
import { until } from '../../test/journeys/client.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { STEPS } from './steps.ts'
import { assertOutage, assertOutOfService, inTime, ready, startTroubledService } from './troubled-service.ts'

test('while the database is read-only every step is a 503, the service is not ready, and all goes on by itself', async (t) => {
  const database = await createTestDatabase()
  const service = await startTroubledService(database.url)
  t.teardown(service.end)
  const { url, proxy, db } = service
  const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))
  const name = new URL(database.url).pathname.slice(1)

  await db.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  // Sessions keep the setting from their start.
  proxy.cutAll()
  await assertOutOfService(t, url)
  const replies = await Promise.all(attempts.map((attempt) => inTime(attempt.send())))
  for (const [n, { name, family }] of STEPS.entries()) {
    assertOutage(t, replies[n]!, family, name)
    t.is(await attempts[n]!.stored(), 0, name)
  }

  // Nobody ends the read-only sessions: the service must give them up itself.
  await db.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
  await ready(url)
  const again = await Promise.all(
    attempts.map((attempt) =>
      until(
        () => inTime(attempt.send()),
        ({ status }) => status !== 503,
      ),
    ),
  )
  for (const [n, { name, status }] of STEPS.entries()) {
    t.is(again[n]!.status, status, name)
    t.is(await attempts[n]!.stored(), 1, name)
  }
})
