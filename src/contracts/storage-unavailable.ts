/**
 * The store cannot be reached, or not in time. What was asked may or may not have been stored, except that a
 * connection that was refused stored nothing. Worth a retry; any port that stores may throw it.
 */
export class StorageUnavailable extends Error {
  /** @param reason without values: it ends in logs. */
  constructor(reason: string) {
    super(`The storage is not available: ${reason}`)
  }
}
