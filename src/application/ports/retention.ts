/** What a purge deleted. Issuances, lock notices and the events of services go with their challenges and are not counted. */
export interface Purged {
  readonly challenges: number
  readonly events: number
}

/**
 * Deletes what is older than its retention period. Challenges hold personal data. The audit trail holds none but the id of the
 * subject and the address of the caller. So each has a period of its own, and events outlive their challenges.
 *
 * Any number of processes may purge at the same time: one of them works, and the others end without deleting anything. A purge
 * deletes one batch each time the caller reads, and stops when the caller does. A batch is atomic, and may contain nothing.
 */
export abstract class Retention {
  /**
   * Deletes every challenge that expired before `expiredBefore`, with its issuances, its lock notices and
   * what services hear of it. Their events on the trail stay. A batch
   * contains at most `limit` challenges. Ids must rise with time, as `Identifiers` promises.
   *
   * The standings of subjects stay, whatever their age: they hold the budgets for wrong codes and mails, and no purge may
   * refill a budget.
   *
   * @throws {StorageUnavailable} Batches that were read before stay deleted.
   */
  abstract purge(expiredBefore: Date, limit: number): AsyncIterable<Purged>

  /**
   * Deletes the events that were stored more than `keptDays` ago, by the clock of the storage, at most `limit` in a batch. Where the
   * owner of the storage wants them kept for longer, they stay for longer.
   *
   * @throws {StorageUnavailable} Batches that were read before stay deleted.
   */
  abstract purgeTrail(keptDays: number, limit: number): AsyncIterable<Purged>

  /**
   * When the oldest stored challenge expires or expired; undefined if no challenge is stored. Cheap enough for every process
   * to call every few seconds.
   *
   * @throws {StorageUnavailable}
   */
  abstract oldestExpiry(): Promise<Date | undefined>

  /**
   * For how many seconds the oldest event has been past `keptDays`, or past what the owner of the storage wants; 0 if it is not. As
   * cheap as the call above.
   *
   * @throws {StorageUnavailable}
   */
  abstract trailOverdueInSeconds(keptDays: number): Promise<number>
}
