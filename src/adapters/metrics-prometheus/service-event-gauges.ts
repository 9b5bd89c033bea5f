import type { Registry } from 'prom-client'
import type { Clock } from '../../application/ports/clock.ts'
import type { ServiceEventBacklog } from '../../contracts/service-event-backlog.ts'
import { gaugesOfReading } from './gauges-of-reading.ts'
import { sharedReadingWithTimeout } from './shared-reading.ts'

interface Reading {
  readonly waiting: number
  readonly oldestDueAgeInSeconds: number
  readonly pausedEndpoints: number
}

/** Measures the queue of events on each scrape. The gauges are omitted if that fails or times out. */
export function watchServiceEvents(registry: Registry, backlog: ServiceEventBacklog, clock: Clock): void {
  const lastReading = sharedReadingWithTimeout(async (): Promise<Reading> => {
    const now = clock.now()
    const { oldestDueAt = now, ...reading } = await backlog.measure(now)
    return { ...reading, oldestDueAgeInSeconds: (now.getTime() - oldestDueAt.getTime()) / 1000 }
  })
  const watch = gaugesOfReading(registry, lastReading)

  watch(
    'countersign_service_events_waiting',
    'Events that a service has not accepted yet, up to 100000',
    ({ waiting }) => waiting,
  )
  watch(
    'countersign_service_events_oldest_due_age_seconds',
    'How long the oldest due event has been due; 0 if none is due. Those of paused endpoints do not count',
    ({ oldestDueAgeInSeconds }) => oldestDueAgeInSeconds,
  )
  watch(
    'countersign_webhook_endpoints_paused',
    'Endpoints that get no events, because their deliveries failed for too long, they answered 410, or an operator paused them',
    ({ pausedEndpoints }) => pausedEndpoints,
  )
}
