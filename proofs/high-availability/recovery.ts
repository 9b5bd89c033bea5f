import { percentile } from '../statistics.ts'
import type { Attempt } from './ledger.ts'

export interface Recovery {
  /** From the event to the first decision after the longest silence. */
  readonly answeredInMs: number
  /** From the event to the first second whose p99 is no worse than the worst second before the event. */
  readonly normalInMs: number
  readonly failed: number
  /** The p99 of the time before the event, in ms. */
  readonly p99Before: number
}

const SECOND = 1000
/** A second is normal if the next two are normal, too. */
const NORMAL_SECONDS = 3

/** How the service came back after an event. Infinity where it did not. */
export function recoveryFrom(attempts: readonly Attempt[], beganAt: number, eventAt: number): Recovery {
  const decided = attempts
    .filter(({ outcome, endedAt }) => outcome === 'decided' && endedAt >= beganAt)
    .toSorted((a, b) => a.endedAt - b.endedAt)
  const before = decided.filter(({ endedAt }) => endedAt < eventAt)
  const after = decided.filter(({ endedAt }) => endedAt >= eventAt)

  let [silence, answeredAt] = [0, Number.POSITIVE_INFINITY]
  for (const [n, { endedAt }] of after.entries()) {
    const since = endedAt - (after[n - 1]?.endedAt ?? eventAt)
    if (since > silence) [silence, answeredAt] = [since, endedAt]
  }
  const limit = Math.max(...seconds(before, beganAt).map(p99))
  const normal = seconds(after, answeredAt).map((each) => each.length > 0 && p99(each) <= limit)
  const first = normal.findIndex((_, n) => normal.slice(n, n + NORMAL_SECONDS).every(Boolean))
  return {
    answeredInMs: answeredAt - eventAt,
    normalInMs: first === -1 ? Number.POSITIVE_INFINITY : answeredAt + first * SECOND - eventAt,
    failed: attempts.filter(
      ({ outcome, endedAt }) => endedAt >= eventAt && ['unavailable', 'cut'].includes(outcome),
    ).length,
    p99Before: p99(before),
  }
}

/** The attempts by the second in which they ended, without the last one, which is not over. */
function seconds(attempts: readonly Attempt[], from: number): Attempt[][] {
  const all: Attempt[][] = []
  for (const attempt of attempts) {
    if (attempt.endedAt < from) continue
    const n = Math.floor((attempt.endedAt - from) / SECOND)
    while (all.length <= n) all.push([])
    all[n]!.push(attempt)
  }
  return all.slice(0, -1)
}

function p99(attempts: readonly Attempt[]): number {
  return percentile(
    attempts.map(({ sentAt, endedAt }) => endedAt - sentAt),
    0.99,
  )
}
