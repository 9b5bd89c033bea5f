import { setTimeout as wait } from 'node:timers/promises'

/** Well below the time-out of a scrape in Prometheus. */
const TIMEOUT_IN_MS = 2000

/**
 * Reads something slow once for all gauges that show it. A scrape that begins during a reading shares that reading.
 * The result is undefined if the reading fails or times out.
 */
export function sharedReadingWithTimeout<Reading>(
  measure: () => Promise<Reading>,
  timeoutInMs = TIMEOUT_IN_MS,
): () => Promise<Reading | undefined> {
  let inFlight: Promise<Reading | undefined> | undefined

  const read = async (): Promise<Reading | undefined> => {
    try {
      return await measure()
    } catch {
      return undefined
    } finally {
      inFlight = undefined
    }
  }
  return () => {
    inFlight ??= read()
    return Promise.race([inFlight, wait(timeoutInMs, undefined, { ref: false })])
  }
}
