import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { AnchorVerifier, TrailAnchors } from '../../application/ports/trail-anchors.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

/** Clocks of processes differ by less. */
const FUTURE_IN_MS = 600_000

/**
 * Measures the age of the newest anchor on each scrape, so it shows that anchors stopped, in whatever process. Without any anchor
 * it is the time since this process started to look. One that no known key signed, or of the future, counts as signed in 1970: the alert
 * fires. The gauge is omitted if the measurement fails or times out.
 */
export function watchAnchors(
  registry: Registry,
  anchors: Pick<TrailAnchors, 'newest'>,
  verifier: AnchorVerifier,
  clock: Clock,
): void {
  const since = clock.now()
  const age = sharedReadingWithTimeout(async () => {
    const newest = await anchors.newest()
    const now = clock.now().getTime()
    const signedAt = (newest?.signedAt ?? since).getTime()
    const counts = !newest || (verifier.verify(newest) === 'genuine' && signedAt <= now + FUTURE_IN_MS)
    return Math.max(0, (now - (counts ? signedAt : 0)) / 1000)
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
