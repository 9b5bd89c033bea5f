/** The challenges whose service gets to know when they end by the clock. Their ends are stored when they are opened. */
export abstract class ChallengeExpiries {
  /**
   * Takes up to `limit` ends before `before`, and returns how many. A challenge that is still pending or verified then gets its event,
   * once, whatever number of processes does this. A decision about its subject that is being made meanwhile is made again, so none comes
   * after the event.
   *
   * @throws {StorageUnavailable} Nothing is taken then.
   */
  abstract take(before: Date, limit: number): Promise<number>
}
