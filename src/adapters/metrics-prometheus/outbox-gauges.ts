import type { Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { OutboxBacklog } from '../../contracts/outbox-backlog.ts'
import { gaugesOfReading } from './gauges-of-reading.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

interface Reading {
  readonly queued: number
  readonly oldestDueAgeInSeconds: number
}

/** Measures the outbox on each scrape. The gauges are omitted if that fails or times out. */
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
  const watch = gaugesOfReading(registry, lastReading)

  watch(
    'countersign_outbox_queued',
    'Mails that wait to be sent, including those being sent',
    ({ queued }) => queued,
  )
  watch(
    'countersign_outbox_oldest_due_age_seconds',
    'How long the oldest due mail has been due; 0 if no mail is due',
    ({ oldestDueAgeInSeconds }) => oldestDueAgeInSeconds,
  )
}
