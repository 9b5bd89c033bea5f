import test from 'ava'
import { pino } from 'pino'
import { ServiceEventDeliverer } from '../../src/adapters/deliverer/service-event-deliverer.ts'
import type {
  ServiceEventAttempt,
  ServiceEventReport,
} from '../../src/application/service-events/deliver-service-events.ts'

const REPORT: ServiceEventReport = {
  ...{ eventId: 'e', type: 'challenge-opened', challengeId: 'c', clientId: 'payments' },
  ...{ attempt: 1, outcome: 'accepted' },
}

type Execute = (taken: ReadonlyMap<string, number>) => Promise<readonly ServiceEventAttempt[]>

function running(t: import('ava').ExecutionContext, execute: Execute, pollIntervalInMs = 3_600_000) {
  const logLines: Record<string, unknown>[] = []
  const observed: ServiceEventReport[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const observer = (report: ServiceEventReport) => void observed.push(report)
  const deliverer = new ServiceEventDeliverer({ execute }, logger, { observer, pollIntervalInMs })
  t.teardown(() => deliverer.stop())
  deliverer.start()
  return { deliverer, logLines, observed }
}

const attempt = (clientId: string, run: () => Promise<ServiceEventReport>): ServiceEventAttempt => ({
  clientId,
  run,
})

test('it says how many attempts of each client are under way, and looks again when one ends', async (t) => {
  const slow = Promise.withResolvers<ServiceEventReport>()
  const looks: Record<string, number>[] = []
  const third = Promise.withResolvers<void>()
  running(t, async (taken) => {
    looks.push(Object.fromEntries(taken))
    if (looks.length === 1) {
      return [
        attempt('payments', () => slow.promise),
        attempt('payments', () => slow.promise),
        attempt('payees', async () => REPORT),
      ]
    }
    if (looks.length === 2) slow.resolve(REPORT)
    if (looks.at(-1)?.payments === undefined) third.resolve()
    return []
  })
  await third.promise

  t.deepEqual(looks[0], {})
  t.like(looks[1], { payments: 2 })
  t.deepEqual(looks.at(-1), {})
})

test('without an end it looks again by itself', async (t) => {
  const again = Promise.withResolvers<void>()
  let looks = 0
  running(
    t,
    async () => {
      looks++
      if (looks === 3) again.resolve()
      return []
    },
    5,
  )

  await again.promise
  t.pass()
})

test('a claim that fails is logged, and does not end it', async (t) => {
  const again = Promise.withResolvers<void>()
  let looks = 0
  const { logLines } = running(t, async () => {
    looks++
    if (looks === 1) throw new Error('away')
    again.resolve()
    return []
  })

  await again.promise
  t.like(logLines[0], { level: 50, msg: 'claiming events failed', err: { message: 'away' } })
})

test('it stops when every attempt has ended, and claims nothing more', async (t) => {
  const slow = Promise.withResolvers<ServiceEventReport>()
  const claimed = Promise.withResolvers<void>()
  let looks = 0
  const { deliverer, observed } = running(t, async () => {
    looks++
    if (looks > 1) return []
    claimed.resolve()
    return [attempt('payments', () => slow.promise)]
  })
  await claimed.promise
  const stopped = deliverer.stop()
  const before = looks
  slow.resolve(REPORT)
  await stopped

  t.deepEqual(observed, [REPORT])
  t.true(looks <= before + 1)
})

for (const [report, level] of [
  [REPORT, 20],
  [{ ...REPORT, outcome: 'deferred', reason: 'status', status: 500 }, 40],
  [{ ...REPORT, outcome: 'given-up', reason: 'timeout' }, 40],
  [{ ...REPORT, outcome: 'deferred', reason: 'failed', error: new Error('a defect') }, 50],
  [{ ...REPORT, outcome: 'unrecorded', error: new Error('away') }, 50],
] as const) {
  const { outcome, reason } = { reason: '', ...report }
  test(`an attempt that ends with ${outcome} ${reason} is logged at level ${level}, without an address`, async (t) => {
    let looks = 0
    const logged = Promise.withResolvers<void>()
    const { logLines } = running(
      t,
      async () => {
        looks++
        if (looks === 1) return [attempt('payments', async () => report)]
        if (logLines.length > 0) logged.resolve()
        return []
      },
      5,
    )
    await logged.promise

    t.like(logLines[0], { level, msg: 'event attempt', outcome, clientId: 'payments', challengeId: 'c' })
    t.false(JSON.stringify(logLines).includes('http'))
  })
}
