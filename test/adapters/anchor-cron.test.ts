import test from 'ava'
import { AnchorCron } from '../../src/adapters/jobs-cron/anchor-cron.ts'
import type { SignedAnchor } from '../../src/application/ports/trail-anchors.ts'
import { createLogger } from '../../src/process/logger.ts'
import { NOON } from '../domain/examples.ts'

const ANCHOR: SignedAnchor = {
  ...{ number: 7, firstId: 11, lastId: 20, events: 9, digest: 'd', previous: 'p' },
  ...{ signedAt: NOON, keyId: 's1', signature: 'the-signature' },
}

test('a stop breaks off the run that is under way, and says nothing about it', async (t) => {
  const begun = Promise.withResolvers<void>()
  const lines: string[] = []
  const logger = createLogger(
    { logLevel: 'info', production: true },
    { write: (line: string) => void lines.push(line) },
  )
  const execute = (signal?: AbortSignal) => {
    begun.resolve()
    return new Promise<never>((_, reject) => {
      signal!.addEventListener('abort', () => reject(signal!.reason))
    })
  }
  const cron = new AnchorCron({ execute }, logger, { schedule: '* * * * * *', spreadInMs: 0 })
  cron.start()
  await begun.promise

  await cron.stop()

  t.deepEqual(lines, [])
})

test('each anchor is a line of the log with all that it says; a run without one has none, and one that fails is logged', async (t) => {
  const fourth = Promise.withResolvers<void>()
  const lines: Record<string, unknown>[] = []
  const logger = createLogger(
    { logLevel: 'info', production: true },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  let runs = 0
  const execute = async () => {
    runs++
    if (runs === 1) return { anchor: ANCHOR }
    if (runs === 3) throw new Error('database away')
    if (runs === 4) fourth.resolve()
    return {}
  }
  const cron = new AnchorCron({ execute }, logger, { schedule: '* * * * * *', spreadInMs: 0 })
  t.teardown(() => cron.stop())
  cron.start()

  await fourth.promise

  t.is(lines.length, 2)
  const { anchor } = lines[0]!
  t.like(lines[0], { level: 30, msg: 'trail anchored' })
  t.deepEqual(anchor, JSON.parse(JSON.stringify(ANCHOR)))
  t.like(lines[1], { level: 50, msg: 'anchoring the trail failed', err: { message: 'database away' } })
})

test('an anchor in doubt is one error of the log, and the anchor that follows it says so', async (t) => {
  const third = Promise.withResolvers<void>()
  const lines: Record<string, unknown>[] = []
  const logger = createLogger(
    { logLevel: 'info', production: true },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  const doubt = { number: 6, keyId: 's0', firstId: 1, lastId: 10, verdict: 'forged' } as const
  let runs = 0
  const execute = async () => {
    runs++
    if (runs === 3) third.resolve()
    return runs === 2 ? { doubt, anchor: ANCHOR } : { doubt }
  }
  const cron = new AnchorCron({ execute }, logger, { schedule: '* * * * * *', spreadInMs: 0 })
  t.teardown(() => cron.stop())
  cron.start()

  await third.promise

  t.is(lines.length, 2)
  t.like(lines[0], { level: 50, msg: 'newest trail anchor in doubt', anchor: doubt })
  t.like(lines[1], { level: 30, msg: 'trail anchored', follows: 'forged', anchor: { number: 7 } })
})
