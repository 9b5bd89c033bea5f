import type { WebhookEndpoint } from '../../domain/webhook-endpoint.ts'

/** The registered endpoints, one for each client at most. Deliveries pause them, see {@link ServiceEvents.record}. */
export abstract class WebhookEndpoints {
  /** @throws {StorageUnavailable} */
  abstract find(clientId: string): Promise<WebhookEndpoint | undefined>

  /** In the order of their client ids. @throws {StorageUnavailable} */
  abstract all(): Promise<readonly WebhookEndpoint[]>

  /**
   * Stores an endpoint in the place of `previous`. Stores nothing and returns false if that is no longer what is stored.
   *
   * An endpoint without `pausedAt` starts anew: its earlier failures count no more. One that gets its `pausedAt` here is paused until
   * somebody resumes it here: it gets no tries meanwhile.
   *
   * One that gets its first URL gets the events that are stored from then on. Those before it are finished: nobody
   * wanted them delivered, and a replay finds them.
   *
   * @param previous undefined if the client had no endpoint.
   * @throws {StorageUnavailable}
   */
  abstract save(endpoint: WebhookEndpoint, previous: WebhookEndpoint | undefined): Promise<boolean>

  /**
   * From then on no events are stored for the client. Those that it has stay, and those of an endpoint without a URL are finished. Has no effect if somebody else has registered the endpoint
   * meanwhile.
   *
   * @throws {StorageUnavailable}
   */
  abstract remove(endpoint: Pick<WebhookEndpoint, 'clientId' | 'registeredBy'>): Promise<void>
}
