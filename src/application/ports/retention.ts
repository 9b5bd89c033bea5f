/** What a purge deleted. Issuances and lock notices go with their challenges and are not counted. */
export interface Purged {
  readonly challenges: number
  readonly events: number
}

/** Forgets what is past retention. */
export abstract class Retention {
  /**
   * Deletes every challenge that expired before `expiredBefore`, with its issuances, lock notices and events, and every
   * event from before then that belongs to no challenge. Goes batch by batch as the caller reads on, and stops where the
   * caller does. A batch is atomic, holds at most `limit` challenges or events of their own, and may have found nothing to
   * delete.
   *
   * Any number of processes may purge at once: one of them works, the others end without having deleted more.
   * Ids have to rise with time, as `Identifiers` promises.
   *
   * The standings of subjects stay, whatever their age: they hold the budgets of guesses and mails, and no purge may
   * refill a budget.
   *
   * @throws {StorageUnavailable} Batches that were read before stay deleted.
   */
  abstract purge(expiredBefore: Date, limit: number): AsyncIterable<Purged>

  /**
   * When the challenge expires, or did, that was opened first of all that are kept; undefined if there is none. Cheap enough
   * to be asked every few seconds, by every process.
   *
   * @throws {StorageUnavailable}
   */
  abstract oldestExpiry(): Promise<Date | undefined>
}
