/** What waits in the outbox at one instant. */
export interface Backlog {
  /** Mails still to be handed over, those under way included. */
  readonly queued: number
  /** Since when the one that waits longest has been due; undefined if none is due. */
  readonly oldestDueAt: Date | undefined
}

/** Tells how the outbox fares, to those who watch over the service. */
export abstract class OutboxBacklog {
  /** Cheap enough to be asked every few seconds, by every process. */
  abstract measure(now: Date): Promise<Backlog>
}
