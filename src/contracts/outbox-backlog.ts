/** The mails in the outbox at one instant. */
export interface Backlog {
  /** Mails that are not sent yet, including those being sent now. */
  readonly queued: number
  /** When the longest-waiting mail became due; undefined if none is due. */
  readonly oldestDueAt: Date | undefined
}

/** Measures the outbox for monitoring. */
export abstract class OutboxBacklog {
  /** Cheap enough for every process to call it every few seconds. */
  abstract measure(now: Date): Promise<Backlog>
}
