import test from 'ava'
import { ExpiryCron } from '../../src/adapters/jobs-cron/expiry-cron.ts'
import { createLogger } from '../../src/process/logger.ts'

test('a run that fails is logged, and the next one follows in a second', async (t) => {
  const second = Promise.withResolvers<void>()
  const lines: Record<string, unknown>[] = []
  const logger = createLogger(
    { logLevel: 'info', production: true },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  let runs = 0
  const execute = async () => {
    runs++
    if (runs === 1) throw new Error('database away')
    second.resolve()
  }
  const cron = new ExpiryCron({ execute }, logger)
  t.teardown(() => cron.stop())
  cron.start()

  await second.promise

  t.is(lines.length, 1)
  t.like(lines[0], {
    level: 50,
    msg: 'recording expired challenges failed',
    err: { message: 'database away' },
  })
})

test('a stop lets the batch that is under way end, and asks for no other', async (t) => {
  const begun = Promise.withResolvers<void>()
  const batch = Promise.withResolvers<void>()
  let stopped: boolean | undefined
  const execute = async (signal?: AbortSignal) => {
    begun.resolve()
    await batch.promise
    stopped = signal?.aborted
  }
  const cron = new ExpiryCron({ execute }, createLogger({ logLevel: 'error', production: true }))
  cron.start()
  await begun.promise

  const stopping = cron.stop()
  batch.resolve()
  await stopping

  t.true(stopped)
})
