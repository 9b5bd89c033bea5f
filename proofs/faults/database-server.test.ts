import test from 'ava'
import { until } from '../../test/journeys/client.ts'
import { brokenPromises, type Promised } from '../../test/journeys/promised-walks.ts'
import { startOwnServer } from './own-server.ts'
import { STEPS } from './steps.ts'
import { assertOutage, assertOutOfService, inTime, ready, startTroubledService } from './troubled-service.ts'
import { keepWalking } from './walkers.ts'

test('a database that crashes and recovers under load loses nothing that was answered, and is used again by itself', async (t) => {
  t.timeout(150_000)
  const server = await startOwnServer()
  t.teardown(server.stop)
  const service = await startTroubledService(server.url)
  t.teardown(service.end)
  const promised: Promised = new Map()

  const walkers = keepWalking(t, service.url, promised)
  for (let crash = 0; crash < 2; crash++) {
    await walkers.more()
    await server.restart()
  }
  await walkers.more()
  await ready(service.url)
  t.true((await service.sharedStatements()) > 0, 'requests shared a statement')
  await service.process.end('SIGKILL')
  await walkers.end()

  t.deepEqual(await brokenPromises(service.db, promised), [])
  t.notRegex(service.process.output(), /FATAL/)
})

test('while the processes of the database stand still every step is a 503, and all goes on by itself', async (t) => {
  t.timeout(150_000)
  const server = await startOwnServer()
  t.teardown(server.stop)
  const service = await startTroubledService(server.url)
  t.teardown(service.end)
  const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))

  const goOn = await server.freeze()
  try {
    const [replies] = await Promise.all([
      Promise.all(attempts.map((attempt) => inTime(attempt.send()))),
      assertOutOfService(t, service.url),
    ])
    for (const [n, { name, family }] of STEPS.entries()) assertOutage(t, replies[n]!, family, name)
  } finally {
    goOn()
  }

  await ready(service.url)
  for (const [n, { name, status, again }] of STEPS.entries()) {
    const reply = await until(
      () => inTime(attempts[n]!.send()),
      (each) => each.status !== 503,
    )
    // The server runs the statements afterwards that it had received before it stopped, even if the service has given up.
    t.true([status, again].includes(reply.status), name)
    t.is(await attempts[n]!.stored(), 1, name)
  }
})
