import test from 'ava'
import type { Attempt } from './ledger.ts'
import { recoveryFrom } from './recovery.ts'

/** A decision every 100 ms. Each took so long. */
function decisions(from: number, to: number, tookInMs: number): Attempt[] {
  const all: Attempt[] = []
  for (let endedAt = from; endedAt < to; endedAt += 100) {
    all.push({ sentAt: endedAt - tookInMs, endedAt, outcome: 'decided' })
  }
  return all
}

test('a recovery begins with the first decision after the longest silence, and ends when the p99 is as before', (t) => {
  const attempts = [
    ...decisions(0, 5000, 10),
    // The old primary still answers for a moment.
    ...decisions(5000, 5300, 10),
    { sentAt: 5300, endedAt: 5900, outcome: 'unavailable' } as const,
    { sentAt: 5300, endedAt: 6100, outcome: 'cut' } as const,
    ...decisions(8000, 10_000, 500),
    ...decisions(10_000, 16_000, 10),
  ]

  t.deepEqual(recoveryFrom(attempts, 0, 5000), {
    answeredInMs: 3000,
    normalInMs: 5000,
    failed: 2,
    p99Before: 10,
  })
})

test('one good second among bad ones is no recovery', (t) => {
  const attempts = [
    ...decisions(0, 5000, 10),
    ...decisions(8000, 9000, 10),
    ...decisions(9000, 10_000, 500),
    ...decisions(10_000, 16_000, 10),
  ]

  t.is(recoveryFrom(attempts, 0, 5000).normalInMs, 5000)
})

test('a service that decides nothing any more has not recovered', (t) => {
  const { answeredInMs, normalInMs } = recoveryFrom(decisions(0, 5000, 10), 0, 5000)

  t.is(answeredInMs, Number.POSITIVE_INFINITY)
  t.is(normalInMs, Number.POSITIVE_INFINITY)
})
