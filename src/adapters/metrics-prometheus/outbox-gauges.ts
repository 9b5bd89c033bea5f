import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { OutboxBacklog } from '../../contracts/outbox-backlog.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

interface Reading {
  readonly queued: number
  readonly oldestDueAgeInSeconds: number
}

/** Has the outbox looked at with each scrape. Where that fails or takes too long, the scrape goes without these gauges. */
export function watchOutbox(
  registry: Registry,
  backlog: OutboxBacklog,
  clock: Clock,
  { timeoutInMs }: { timeoutInMs?: number } = {},
): void {
  const lastReading = sharedReadingWithTimeout(async (): Promise<Reading> => {
    const now = clock.now()
    const { queued, oldestDueAt = now } = await backlog.measure(now)
    return { queued, oldestDueAgeInSeconds: (now.getTime() - oldestDueAt.getTime()) / 1000 }
  }, timeoutInMs)
  const watch = (name: string, help: string, shown: (reading: Reading) => number) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      // Every worker sees the same outbox.
      aggregator: 'max',
      async collect() {
        const reading = await lastReading()
        if (reading) this.set(shown(reading))
        else this.remove()
      },
    })
  }

  watch(
    'countersign_outbox_queued',
    'Mails that are still to be handed over, those under way included',
    ({ queued }) => queued,
  )
  watch(
    'countersign_outbox_oldest_due_age_seconds',
    'For how long the mail that waits longest has been due; 0 if none is due',
    ({ oldestDueAgeInSeconds }) => oldestDueAgeInSeconds,
  )
}
