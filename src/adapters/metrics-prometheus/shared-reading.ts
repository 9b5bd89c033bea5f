import { setTimeout as wait } from 'node:timers/promises'

/** Well within the time that scrapers give a scrape. */
const TIMEOUT_IN_MS = 2000

/**
 * A look at something slow, for all gauges that show it and for scrapes that come while the last look still lasts: one at a
 * time, which gives undefined if it fails or takes too long.
 */
export function sharedReadingWithTimeout<Reading>(
  look: () => Promise<Reading>,
  timeoutInMs = TIMEOUT_IN_MS,
): () => Promise<Reading | undefined> {
  let underWay: Promise<Reading | undefined> | undefined

  const read = async (): Promise<Reading | undefined> => {
    try {
      return await look()
    } catch {
      return undefined
    } finally {
      underWay = undefined
    }
  }
  return () => {
    underWay ??= read()
    return Promise.race([underWay, wait(timeoutInMs, undefined, { ref: false })])
  }
}
