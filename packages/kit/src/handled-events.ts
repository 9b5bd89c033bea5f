/** Remembers which events were handled, because the service delivers some of them twice. */
export interface HandledEvents {
  /**
   * Calls `handle`, unless the event was handled before. If another call is handling it, waits for the end of that. An event whose
   * `handle` rejects was not handled.
   */
  once(eventId: string, handle: () => Promise<void>): Promise<'handled' | 'repeat'>
}

export interface RecentlyHandledEventsOptions {
  /** How many events are remembered. Default: 10,000. */
  readonly remember?: number
}

/**
 * Remembers the latest events in the memory of one process. After a restart, or in another process, an event may be handled twice: let
 * handlers store the id of the event with what they do, or use an implementation of your own.
 */
export class RecentlyHandledEvents implements HandledEvents {
  /** The oldest first. */
  readonly #handled = new Set<string>()
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #remember: number

  constructor({ remember = 10_000 }: RecentlyHandledEventsOptions = {}) {
    this.#remember = remember
  }

  async once(eventId: string, handle: () => Promise<void>): Promise<'handled' | 'repeat'> {
    if (this.#handled.has(eventId)) return 'repeat'
    const underWay = this.#underWay.get(eventId)
    if (underWay) {
      await underWay
      return 'repeat'
    }
    const handling = this.#handle(eventId, handle)
    this.#underWay.set(eventId, handling)
    try {
      await handling
      return 'handled'
    } finally {
      this.#underWay.delete(eventId)
    }
  }

  async #handle(eventId: string, handle: () => Promise<void>): Promise<void> {
    await handle()
    this.#handled.add(eventId)
    const [oldest] = this.#handled
    if (this.#handled.size > this.#remember) this.#handled.delete(oldest!)
  }
}
