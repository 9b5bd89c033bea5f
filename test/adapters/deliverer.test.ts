import test from 'ava'
import { pino } from 'pino'
import { Deliverer, type DelivererOptions } from '../../src/adapters/deliverer/deliverer.ts'
import type { DeliveryAttempt, DeliveryReport } from '../../src/application/mail/send-mail.ts'

const REPORT: DeliveryReport = { challengeId: 'c', issuanceId: 'i', attempt: 1, outcome: 'sent' }

/** A poll so rare that only a ring can make it look again. */
const NEVER_BY_ITSELF = { pollIntervalInMs: 3_600_000 }

/** A deliverer over `execute`, running until the test ends, and its log. */
function running(
  t: import('ava').ExecutionContext,
  execute: (limit: number) => Promise<readonly DeliveryAttempt[]>,
  { requestsUnderWay = 0, ...options }: { requestsUnderWay?: number } & DelivererOptions = {},
) {
  const logLines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const deliverer = new Deliverer({ execute }, { inFlight: () => requestsUnderWay }, logger, options)
  t.teardown(() => deliverer.stop())
  deliverer.start()
  return { deliverer, logLines }
}

test('a ring makes it look without waiting for the poll', async (t) => {
  const looked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let looks = 0
  const { deliverer } = running(
    t,
    async () => {
      looked[looks++]?.resolve()
      return []
    },
    NEVER_BY_ITSELF,
  )
  await looked[0]!.promise

  deliverer.wake()

  await t.notThrowsAsync(looked[1]!.promise)
})

test('a ring during a look is not lost', async (t) => {
  const first = Promise.withResolvers<readonly DeliveryAttempt[]>()
  const second = Promise.withResolvers<void>()
  let looks = 0
  const { deliverer } = running(
    t,
    () => {
      looks++
      if (looks === 1) return first.promise
      second.resolve()
      return Promise.resolve([])
    },
    NEVER_BY_ITSELF,
  )

  deliverer.wake()
  first.resolve([])

  await t.notThrowsAsync(second.promise)
})

test('without a ring it looks again by itself', async (t) => {
  const again = Promise.withResolvers<void>()
  let looks = 0
  running(t, async () => {
    looks++
    if (looks === 3) again.resolve()
    return []
  })

  await again.promise
  t.pass()
})

test('a slow hand-over holds up neither the next claim nor more than its own place', async (t) => {
  const slow = Promise.withResolvers<DeliveryReport>()
  const limits: number[] = []
  const third = Promise.withResolvers<void>()
  const { deliverer } = running(t, async (limit) => {
    limits.push(limit)
    if (limits.length === 3) third.resolve()
    return limits.length === 1 ? [() => slow.promise] : []
  })

  await third.promise
  slow.resolve(REPORT)
  await deliverer.stop()

  t.deepEqual(limits.slice(0, 3), [50, 49, 49])
})

for (const [requestsUnderWay, places] of [
  [1, 46],
  [12, 2],
  [13, 1],
  [1000, 1],
] as const) {
  test(`with ${requestsUnderWay} requests under way it has ${places} places for mails`, async (t) => {
    const asked = Promise.withResolvers<number>()
    running(
      t,
      async (limit) => {
        asked.resolve(limit)
        return []
      },
      { ...NEVER_BY_ITSELF, requestsUnderWay },
    )

    t.is(await asked.promise, places)
  })
}

test('mails that wait for too long no longer give way to requests', async (t) => {
  const limits: number[] = []
  const third = Promise.withResolvers<void>()
  running(
    t,
    async (limit) => {
      limits.push(limit)
      if (limits.length === 3) third.resolve()
      return limits.length < 3 ? Array.from({ length: limit }, () => async () => REPORT) : []
    },
    { requestsUnderWay: 1000, patienceInMs: -1 },
  )

  await third.promise

  t.is(limits[0], 50)
})

test('between two mails that it begins, everything else gets its turn', async (t) => {
  let turns = 0
  let counting = true
  const count = () => {
    turns++
    if (counting) setImmediate(count)
  }
  count()
  const begunAt: number[] = []
  const claimed = Array.from({ length: 50 }, () => async () => {
    begunAt.push(turns)
    return REPORT
  })
  let given = false
  const { deliverer } = running(t, async () => {
    if (given) return []
    given = true
    return claimed
  })
  await new Promise((resolve) => setImmediate(resolve))

  await deliverer.stop()
  counting = false

  t.is(begunAt.length, 50)
  t.is(new Set(begunAt).size, 50)
})

test('it claims again when half of the places are free', async (t) => {
  const attempts = Array.from({ length: 50 }, () => Promise.withResolvers<DeliveryReport>())
  const allBegun = Promise.withResolvers<void>()
  const limits: number[] = []
  const second = Promise.withResolvers<void>()
  running(
    t,
    async (limit) => {
      limits.push(limit)
      if (limits.length === 2) second.resolve()
      return limits.length === 1
        ? attempts.map(({ promise }, n) => () => {
            if (n === 49) allBegun.resolve()
            return promise
          })
        : []
    },
    NEVER_BY_ITSELF,
  )
  await allBegun.promise
  await new Promise((resolve) => setImmediate(resolve))

  for (const { resolve } of attempts.slice(0, 24)) resolve(REPORT)
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(limits, [50])
  attempts[24]!.resolve(REPORT)
  await second.promise

  t.deepEqual(limits, [50, 25])
  for (const { resolve } of attempts) resolve(REPORT)
})

test('it stops only when every hand-over under way is settled', async (t) => {
  const attempt = Promise.withResolvers<DeliveryReport>()
  const claimed = Promise.withResolvers<void>()
  let given = false
  const { deliverer } = running(t, async () => {
    if (given) return []
    given = true
    claimed.resolve()
    return [() => attempt.promise]
  })
  await claimed.promise

  let stopped = false
  const stopping = deliverer.stop().then(() => {
    stopped = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.false(stopped)
  t.is(await deliverer.problem(), 'the deliverer is not running')

  attempt.resolve(REPORT)
  await stopping
  t.true(stopped)
})

test('a claim that fails is logged and tried again', async (t) => {
  const again = Promise.withResolvers<void>()
  let looks = 0
  const { logLines, deliverer } = running(t, async () => {
    looks++
    if (looks === 1) throw new Error('database away')
    again.resolve()
    return []
  })

  await again.promise

  t.like(logLines[0], { msg: 'claiming mails failed' })
  t.is(await deliverer.problem(), undefined)
})

for (const [outcome, level] of [
  ['sent', 30],
  ['queued', 40],
  ['failed', 40],
  ['unrecorded', 50],
  ['outdated', 40],
] as const) {
  test(`a mail attempt that ends ${outcome} has one line at level ${level}`, async (t) => {
    let given = false
    const { deliverer, logLines } = running(t, async () => {
      if (given) return []
      given = true
      return [async () => ({ ...REPORT, outcome, error: outcome === 'sent' ? undefined : new Error('why') })]
    })
    await new Promise((resolve) => setImmediate(resolve))

    await deliverer.stop()

    t.is(logLines.length, 1)
    t.like(logLines[0], {
      msg: 'mail attempt',
      level,
      challengeId: 'c',
      issuanceId: 'i',
      attempt: 1,
      outcome,
    })
    t.is('err' in logLines[0]!, outcome !== 'sent')
  })
}

test('an observer hears of every attempt, whatever came of it', async (t) => {
  const reports: DeliveryReport[] = [
    REPORT,
    { ...REPORT, outcome: 'unrecorded', error: new Error('why') },
    { ...REPORT, outcome: 'outdated', transport: 'smtp' },
  ]
  const attempted: DeliveryReport[] = []
  const all = Promise.withResolvers<void>()
  let given = false
  const { deliverer } = running(
    t,
    async () => {
      if (given) return []
      given = true
      return reports.map((report) => async () => report)
    },
    { observer: { attempted: (report) => attempted.push(report) === reports.length && all.resolve() } },
  )
  await all.promise

  await deliverer.stop()

  t.deepEqual(attempted, reports)
})
