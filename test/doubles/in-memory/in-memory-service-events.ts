import type {
  DeliveryRoom,
  ServiceEventDelivery,
  ServiceEvents,
} from '../../../src/application/ports/service-events.ts'
import { ServiceEvent, type ServiceEventOutcome } from '../../../src/domain/service-event.ts'
import { WebhookEndpoint } from '../../../src/domain/webhook-endpoint.ts'
import { type InMemoryState, type StoredServiceEvent, turn } from './in-memory-state.ts'

export class InMemoryServiceEvents implements ServiceEvents {
  readonly #state: InMemoryState
  #lastPosition = 0

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async number(limit: number): Promise<number> {
    await turn()
    const fresh = this.#state.serviceEvents.filter(({ position }) => position === undefined).slice(0, limit)
    for (const each of fresh) {
      this.#lastPosition += 10
      this.#change(each, { position: this.#lastPosition })
    }
    return fresh.length
  }

  async claim(
    { perEndpoint, taken }: DeliveryRoom,
    now: Date,
    leaseEnd: Date,
  ): Promise<readonly ServiceEventDelivery[]> {
    await turn()
    const { endpoints, endpointHealth } = this.#state
    return [...endpoints.values()].flatMap((endpoint) => {
      const { clientId, url } = endpoint
      if (url === undefined) return []
      const health = endpointHealth.get(clientId)!
      const room = health.pausedAt
        ? Number(health.probeAt !== undefined && health.probeAt <= now)
        : Math.max(0, perEndpoint - (taken.get(clientId) ?? 0))
      const due = this.#state.serviceEvents
        .filter((each) => each.clientId === clientId && this.#isDue(each, now))
        .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
        .slice(0, room)
      if (health.pausedAt && due.length > 0) {
        endpointHealth.set(clientId, { ...health, probeAt: WebhookEndpoint.nextProbe(now) })
      }
      return due.map((each) => {
        const attempt = each.attempts + 1
        this.#change(each, { attempts: attempt, leasedUntil: leaseEnd })
        return { event: toldOf(each), endpoint, attempt }
      })
    })
  }

  async record(
    { event, attempt }: ServiceEventDelivery,
    outcome: ServiceEventOutcome,
    gone: boolean,
    now: Date,
  ): Promise<boolean> {
    await turn()
    const stored = this.#state.serviceEvents.find(({ position }) => position === event.position)
    if (stored?.attempts !== attempt || stored.outcome) return false
    this.#change(stored, {
      leasedUntil: undefined,
      ...(outcome.status === 'deferred'
        ? { nextAttemptAt: outcome.nextAttemptAt }
        : { outcome: outcome.status }),
    })
    const { endpoints, endpointHealth } = this.#state
    const [endpoint, before] = [endpoints.get(event.clientId), endpointHealth.get(event.clientId)]
    if (!endpoint || !before) return true
    const health =
      outcome.status === 'accepted'
        ? WebhookEndpoint.afterSuccess(before)
        : WebhookEndpoint.afterFailure(before, gone, now)
    endpointHealth.set(event.clientId, health)
    endpoints.set(event.clientId, { ...endpoint, pausedAt: health.pausedAt })
    return true
  }

  async after(clientId: string, position: number, limit: number): Promise<readonly ServiceEvent[]> {
    await turn()
    return this.#state.serviceEvents
      .filter((each) => each.clientId === clientId && (each.position ?? 0) > position)
      .slice(0, limit)
      .map(toldOf)
  }

  async replay(
    clientId: string,
    from: { readonly after: number } | { readonly since: Date },
    now: Date,
  ): Promise<number> {
    await turn()
    const finished = this.#state.serviceEvents.filter(
      (each) =>
        each.clientId === clientId &&
        each.outcome &&
        // Whatever is in memory was stored in this run.
        ('after' in from ? (each.position ?? 0) > from.after : from.since <= new Date()),
    )
    for (const each of finished) {
      this.#change(each, { attempts: 0, nextAttemptAt: now, outcome: undefined })
    }
    return finished.length
  }

  #isDue({ event, position, nextAttemptAt, leasedUntil, outcome }: StoredServiceEvent, now: Date): boolean {
    const first = this.#state.serviceEvents.find(
      (each) => each.event.challengeId === event.challengeId && !each.outcome,
    )
    const isFree = leasedUntil === undefined || leasedUntil <= now
    return position !== undefined && !outcome && isFree && nextAttemptAt <= now && first?.event === event
  }

  #change(stored: StoredServiceEvent, change: Partial<StoredServiceEvent>): void {
    const { serviceEvents } = this.#state
    serviceEvents[serviceEvents.findIndex(({ id }) => id === stored.id)] = { ...stored, ...change }
  }
}

function toldOf({ id, clientId, event, position }: StoredServiceEvent): ServiceEvent {
  return ServiceEvent.of(event, { id, clientId, position: position! })!
}
