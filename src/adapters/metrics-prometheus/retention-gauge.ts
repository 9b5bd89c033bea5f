import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { Retention } from '../../application/ports/retention.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

const DAY_IN_SECONDS = 86_400

/**
 * Measures the age of the oldest challenge on each scrape. The gauge thus shows a failed purge, in whatever process it
 * failed. The gauge is omitted if the measurement fails or times out.
 */
export function watchRetention(
  registry: Registry,
  retention: Pick<Retention, 'oldestExpiry'>,
  clock: Clock,
  retentionInDays: number,
): void {
  const overdue = sharedReadingWithTimeout(async () => {
    const now = clock.now()
    const expiresAt = (await retention.oldestExpiry()) ?? now
    const ageInSeconds = (now.getTime() - expiresAt.getTime()) / 1000
    return Math.max(0, ageInSeconds - retentionInDays * DAY_IN_SECONDS)
  })
  new Gauge({
    name: 'countersign_retention_overdue_seconds',
    help: 'How long the oldest challenge has been past its retention; 0 if it is not',
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
