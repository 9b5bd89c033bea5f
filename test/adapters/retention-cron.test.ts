import test from 'ava'
import { pino } from 'pino'
import { RetentionCron } from '../../src/adapters/jobs-cron/retention-cron.ts'
import type { Purged } from '../../src/application/ports/retention.ts'

const EVERY_SECOND = { schedule: '* * * * * *', pauseInMs: 0 }

/** A cron over `execute`, running until the test ends, and its log. */
function running(
  t: import('ava').ExecutionContext,
  execute: () => AsyncGenerator<Purged>,
  options: { schedule?: string; pauseInMs?: number } = EVERY_SECOND,
) {
  const logLines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const cron = new RetentionCron({ execute }, logger, options)
  t.teardown(() => cron.stop())
  cron.start()
  return { cron, logLines }
}

test('it purges time after time, to the end each time', async (t) => {
  const third = Promise.withResolvers<void>()
  const finished: number[] = []
  let runs = 0
  running(t, async function* () {
    const run = ++runs
    yield { challenges: 0, events: 0 }
    yield { challenges: 0, events: 0 }
    finished.push(run)
    if (run === 3) third.resolve()
  })

  await third.promise

  t.deepEqual(finished, [1, 2, 3])
})

test('a run that deleted something has one line, with counts alone; one that did not has none', async (t) => {
  const second = Promise.withResolvers<void>()
  let runs = 0
  const { cron, logLines } = running(t, async function* () {
    runs++
    if (runs === 1) yield { challenges: 0, events: 0 }
    if (runs === 2) {
      yield { challenges: 500, events: 1200 }
      yield { challenges: 520, events: 1250 }
      second.resolve()
    }
  })

  await second.promise
  await cron.stop()

  t.is(logLines.length, 1)
  const { level, time, pid, hostname, ...fields } = logLines[0]!
  t.is(level, 30)
  t.deepEqual(fields, { msg: 'purged', challenges: 520, events: 1250 })
})

test('a run that fails is logged with what it had deleted, and the next one goes on', async (t) => {
  const next = Promise.withResolvers<void>()
  let runs = 0
  const { logLines } = running(t, async function* () {
    runs++
    yield { challenges: runs === 1 ? 500 : 0, events: 0 }
    if (runs === 1) throw new Error('database away')
    next.resolve()
  })

  await next.promise

  t.is(logLines.length, 2)
  t.like(logLines[0], { level: 50, msg: 'retention failed', err: { message: 'database away' } })
  t.like(logLines[1], { level: 30, msg: 'purged', challenges: 500 })
})

test('a run that is due while another is under way is left out', async (t) => {
  const overdue = Promise.withResolvers<void>()
  const next = Promise.withResolvers<void>()
  let [underWay, most, runs] = [0, 0, 0]
  running(t, async function* () {
    runs++
    most = Math.max(most, ++underWay)
    if (runs === 1) await overdue.promise
    else next.resolve()
    underWay--
    yield { challenges: 0, events: 0 }
  })

  // Two further runs of the same schedule are due while the first one waits.
  let due = 0
  const other = new RetentionCron(
    {
      execute: async function* () {
        if (++due === 2) overdue.resolve()
        yield { challenges: 0, events: 0 }
      },
    },
    pino({ level: 'silent' }),
    EVERY_SECOND,
  )
  t.teardown(() => other.stop())
  other.start()
  await next.promise

  t.is(most, 1)
})

test('it stops between two batches, and only when the one under way is done', async (t) => {
  const begun = Promise.withResolvers<void>()
  const batch = Promise.withResolvers<void>()
  let batches = 0
  const { cron, logLines } = running(t, async function* () {
    for (;;) {
      batches++
      begun.resolve()
      await batch.promise
      yield { challenges: 500 * batches, events: 0 }
    }
  })
  await begun.promise

  let stopped = false
  const stopping = cron.stop().then(() => {
    stopped = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.false(stopped)

  batch.resolve()
  await stopping
  t.is(batches, 1)
  t.like(logLines[0], { msg: 'purged', challenges: 500 })
})

test('a pause between two batches holds up no stop', async (t) => {
  const pausing = Promise.withResolvers<void>()
  let batches = 0
  const { cron } = running(
    t,
    async function* () {
      for (;;) {
        batches++
        setImmediate(pausing.resolve)
        yield { challenges: 1, events: 0 }
      }
    },
    { ...EVERY_SECOND, pauseInMs: 3_600_000 },
  )
  await pausing.promise

  await cron.stop()

  t.is(batches, 1)
})

test('one that never started stops all the same', async (t) => {
  const cron = new RetentionCron({ execute: async function* () {} }, pino({ level: 'silent' }))

  await t.notThrowsAsync(cron.stop())
})
