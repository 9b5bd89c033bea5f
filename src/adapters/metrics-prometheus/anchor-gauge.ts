import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { TrailAnchors } from '../../application/ports/trail-anchors.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

/**
 * Measures the age of the newest anchor on each scrape, so it shows that anchors stopped, in whatever process. Without any anchor
 * it is the time since this process started to look. The gauge is omitted if the measurement fails or times out.
 */
export function watchAnchors(registry: Registry, anchors: Pick<TrailAnchors, 'newest'>, clock: Clock): void {
  const since = clock.now()
  const age = sharedReadingWithTimeout(async () => {
    const signedAt = (await anchors.newest())?.signedAt ?? since
    return Math.max(0, (clock.now().getTime() - signedAt.getTime()) / 1000)
  })
  new Gauge({
    name: 'countersign_trail_anchor_age_seconds',
    help: 'How long ago the newest anchor of the audit trail was signed',
    registers: [registry],
    // Every worker sees the same anchors, and without any the oldest worker has waited longest.
    aggregator: 'max',
    async collect() {
      const seconds = await age()
      if (seconds === undefined) this.remove()
      else this.set(seconds)
    },
  })
}
