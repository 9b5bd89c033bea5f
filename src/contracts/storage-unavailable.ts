/**
 * The storage did not answer, or not in time. The write may or may not have happened; only a refused connection proves that it
 * did not. The caller may retry. Every port that stores may throw it.
 */
export class StorageUnavailable extends Error {
  /** @param reason has no values in it, because it is logged. */
  constructor(reason: string) {
    super(`The storage is not available: ${reason}`)
  }
}
