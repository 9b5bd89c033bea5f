/** The events of services that are not delivered yet, at one instant. */
export interface WaitingEvents {
  /** Up to {@link MOST_COUNTED_EVENTS}, of endpoints with a URL. */
  readonly waiting: number
  /** When the event that has been due for longest became due; undefined if none is due. Those of paused endpoints wait for their endpoint. */
  readonly oldestDueAt: Date | undefined
  readonly pausedEndpoints: number
}

/** More take longer to count than the number is worth. */
export const MOST_COUNTED_EVENTS = 100_000

/** Measures the queue of events for monitoring. */
export abstract class ServiceEventBacklog {
  /** Cheap enough for every process to call it every few seconds. */
  abstract measure(now: Date): Promise<WaitingEvents>
}
