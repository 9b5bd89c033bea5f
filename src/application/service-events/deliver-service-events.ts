import { secondsAfter } from '../../domain/instant.ts'
import { ServiceEvent, type ServiceEventOutcome, type ServiceEventType } from '../../domain/service-event.ts'
import type { Clock } from '../ports/clock.ts'
import type { ServiceEventDelivery, ServiceEvents } from '../ports/service-events.ts'
import type { WebhookRefusal, WebhookReply, WebhookTransport } from '../ports/webhook-transport.ts'

/** Longer than a delivery (see `WebhookTransport`), with time left for a slow database. */
const LEASE_IN_SECONDS = 60
/** Few enough for one statement, and many enough for a second of a busy day. */
const NUMBERED_AT_ONCE = 1000
/** Deliveries to one endpoint at the same time, in one process. The transport has as many connections to it. */
const PER_ENDPOINT = 8

/** The result of one attempt to deliver an event. */
export interface ServiceEventReport {
  readonly eventId: string
  readonly type: ServiceEventType
  readonly challengeId: string
  readonly clientId: string
  readonly attempt: number
  /**
   * `unrecorded`: the result could not be stored, and the event is due again when its lease ends. `outdated`: another process has the
   * event by now, or it is gone.
   */
  readonly outcome: ServiceEventOutcome['status'] | 'unrecorded' | 'outdated'
  /** Why it was not accepted. `failed`: this service could not send it. */
  readonly reason?: WebhookRefusal | 'failed'
  /** What the endpoint answered. */
  readonly status?: number
  readonly error?: unknown
}

/** An event that was claimed. Its lease is running. */
export interface ServiceEventAttempt {
  readonly clientId: string
  /** Never rejects. */
  run(): Promise<ServiceEventReport>
}

/** Brings events to the services that want them: at least once each, in order for each challenge, and for about a day. */
export class DeliverServiceEvents {
  readonly #events: ServiceEvents
  readonly #transport: WebhookTransport
  readonly #clock: Clock
  readonly #chance: () => number

  constructor(events: ServiceEvents, transport: WebhookTransport, clock: Clock, chance = Math.random) {
    this.#events = events
    this.#transport = transport
    this.#clock = clock
    this.#chance = chance
  }

  /**
   * Gives new events their positions, and claims what is due. Resolves with one attempt for each event, which must start at once.
   *
   * @param taken attempts in progress in this process, by client. A slow service fills its own places and no others.
   * @throws {StorageUnavailable}
   */
  async execute(taken: ReadonlyMap<string, number>): Promise<readonly ServiceEventAttempt[]> {
    await this.#events.number(NUMBERED_AT_ONCE)
    const now = this.#clock.now()
    const room = { perEndpoint: PER_ENDPOINT, taken }
    const claimed = await this.#events.claim(room, now, secondsAfter(now, LEASE_IN_SECONDS))
    return claimed.map((delivery) => ({
      clientId: delivery.event.clientId,
      run: () => this.#deliver(delivery),
    }))
  }

  async #deliver(delivery: ServiceEventDelivery): Promise<ServiceEventReport> {
    const { id: eventId, type, challengeId, clientId } = delivery.event
    const about = { eventId, type, challengeId, clientId, attempt: delivery.attempt }
    const sent = await this.#send(delivery)
    try {
      const recorded = await this.#record(delivery, sent)
      return { ...about, ...detailsOf(sent), outcome: recorded ?? 'outdated' }
    } catch (error) {
      return { ...about, ...detailsOf(sent), outcome: 'unrecorded', error }
    }
  }

  /** A defect of ours must not lose the event: it is tried again like any other that failed. */
  async #send({ endpoint, event }: ServiceEventDelivery): Promise<Sent> {
    try {
      return await this.#transport.send(endpoint, event)
    } catch (error) {
      return { outcome: 'refused', reason: 'failed', error }
    }
  }

  /** Undefined if nothing was stored. */
  async #record(
    delivery: ServiceEventDelivery,
    sent: Sent,
  ): Promise<ServiceEventOutcome['status'] | undefined> {
    const now = this.#clock.now()
    const outcome: ServiceEventOutcome =
      sent.outcome === 'accepted'
        ? { status: 'accepted' }
        : ServiceEvent.afterFailure(delivery.attempt, now, this.#chance(), sent.retryAfterSeconds)
    const gone = sent.outcome === 'refused' && sent.reason === 'gone'
    return (await this.#events.record(delivery, outcome, gone, now)) ? outcome.status : undefined
  }
}

type Sent =
  | WebhookReply
  | {
      readonly outcome: 'refused'
      readonly reason: 'failed'
      readonly error: unknown
      readonly status?: never
      readonly retryAfterSeconds?: never
    }

function detailsOf(sent: Sent): Pick<ServiceEventReport, 'reason' | 'status' | 'error'> {
  if (sent.outcome === 'accepted') return {}
  const { reason, status } = sent
  return {
    reason,
    ...(status !== undefined && { status }),
    ...('error' in sent && { error: sent.error }),
  }
}
