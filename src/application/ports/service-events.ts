import type { ServiceEvent, ServiceEventOutcome } from '../../domain/service-event.ts'
import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'

/** An event that this process has to deliver. No other process gets it while the lease lasts. */
export interface ServiceEventDelivery {
  readonly event: ServiceEvent
  readonly endpoint: WebhookEndpoint
  /** Deliveries that were started, including this one. */
  readonly attempt: number
}

/** How many deliveries an endpoint may have at the same time in this process, and how many it has already, by client. */
export interface DeliveryRoom {
  readonly perEndpoint: number
  readonly taken: ReadonlyMap<string, number>
}

/**
 * The events of challenges whose client has an endpoint. Nobody adds one here: each is stored together with its decision, in the order
 * of the audit trail.
 */
export abstract class ServiceEvents {
  /**
   * Gives up to `limit` stored events their positions, and returns how many. An event without one is neither delivered nor listed.
   * One of several parallel calls does it. An event whose decision commits late gets a later position than all that somebody has read.
   *
   * @throws {StorageUnavailable}
   */
  abstract number(limit: number): Promise<number>

  /**
   * Takes due events until `leaseEnd` and counts their attempts: for each endpoint as many as it has room for, and never two of one
   * challenge. An event is due once all before it in its challenge are finished. An endpoint without a URL gets none. A paused one gets
   * one each time its probe is due, in whatever process.
   *
   * @throws {StorageUnavailable}
   */
  abstract claim(room: DeliveryRoom, now: Date, leaseEnd: Date): Promise<readonly ServiceEventDelivery[]>

  /**
   * Stores the outcome of a claimed event, and what it says about the endpoint (`WebhookEndpoint.afterSuccess`, `afterFailure`). Stores
   * nothing and returns false if the lease ran out and another process claimed the event, or if it was purged.
   *
   * @param gone whether the endpoint wants no more events.
   * @throws {StorageUnavailable}
   */
  abstract record(
    claimed: ServiceEventDelivery,
    outcome: ServiceEventOutcome,
    gone: boolean,
    now: Date,
  ): Promise<boolean>

  /** Up to `limit` events of a client after a position, in their order, delivered or not. @throws {StorageUnavailable} */
  abstract after(clientId: string, position: number, limit: number): Promise<readonly ServiceEvent[]>

  /**
   * Makes the finished events of a client due again that have a later position, or that were stored since then, and returns how many.
   * Each has all its attempts again. Their ids and positions stay.
   *
   * @throws {StorageUnavailable}
   */
  abstract replay(
    clientId: string,
    from: { readonly after: number } | { readonly since: Date },
    now: Date,
  ): Promise<number>
}
