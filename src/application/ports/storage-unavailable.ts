/**
 * The store cannot be reached, or not in time. What was asked may or may not have been stored, except that
 * a refused connection stores nothing. Worth a retry; any port that stores may throw it.
 */
export class StorageUnavailable extends Error {
  constructor(cause: unknown) {
    super('The storage is not available', { cause })
  }
}
