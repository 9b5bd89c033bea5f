import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { Retention } from '../../application/ports/retention.ts'
import type { RetentionPeriods } from '../../application/retention/purge-challenges.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

const DAY_IN_SECONDS = 86_400

/**
 * Measures the age of the oldest challenge and of the oldest event on each scrape. The gauge thus shows a failed purge, in
 * whatever process it failed. The gauge is omitted if the measurement fails or times out.
 */
export function watchRetention(
  registry: Registry,
  retention: Pick<Retention, 'oldestExpiry' | 'trailOverdueInSeconds'>,
  clock: Clock,
  { challengesInDays, trailInDays }: RetentionPeriods,
): void {
  const overdue = sharedReadingWithTimeout(async () => {
    const now = clock.now()
    const expiresAt = (await retention.oldestExpiry()) ?? now
    const ageInSeconds = (now.getTime() - expiresAt.getTime()) / 1000
    return Math.max(
      0,
      ageInSeconds - challengesInDays * DAY_IN_SECONDS,
      await retention.trailOverdueInSeconds(trailInDays),
    )
  })
  new Gauge({
    name: 'countersign_retention_overdue_seconds',
    help: 'How long the oldest challenge or event has been past its retention; 0 if it is not',
    registers: [registry],
    // Every worker sees the same challenges.
    aggregator: 'max',
    async collect() {
      const seconds = await overdue()
      if (seconds === undefined) this.remove()
      else this.set(seconds)
    },
  })
}
