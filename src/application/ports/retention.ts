/** What a purge deleted. Issuances and lock notices go with their challenges and are not counted. */
export interface Purged {
  readonly challenges: number
  readonly events: number
}

/** Deletes what is older than the retention period. */
export abstract class Retention {
  /**
   * Deletes every challenge that expired before `expiredBefore`, with its issuances, lock notices and events, and every
   * event from before then that belongs to no challenge. Deletes one batch each time the caller reads, and stops when the
   * caller does. A batch is atomic. It contains at most `limit` challenges or loose events, and may contain nothing.
   *
   * Any number of processes may purge at the same time: one of them works, and the others end without deleting anything.
   * Ids must rise with time, as `Identifiers` promises.
   *
   * The standings of subjects stay, whatever their age: they hold the budgets for wrong codes and mails, and no purge may
   * refill a budget.
   *
   * @throws {StorageUnavailable} Batches that were read before stay deleted.
   */
  abstract purge(expiredBefore: Date, limit: number): AsyncIterable<Purged>

  /**
   * When the oldest stored challenge expires or expired; undefined if no challenge is stored. Cheap enough for every process
   * to call every few seconds.
   *
   * @throws {StorageUnavailable}
   */
  abstract oldestExpiry(): Promise<Date | undefined>
}
