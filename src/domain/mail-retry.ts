import { secondsAfter } from './instant.ts'

const FIRST_RETRY_IN_SECONDS = 1
const LONGEST_RETRY_IN_SECONDS = 30

/**
 * When to retry a mail that was not accepted: after 1, 2, 4 … 30 seconds.
 *
 * @param attempts made so far, at least one.
 */
export function retryAt(attempts: number, now: Date): Date {
  const wait = FIRST_RETRY_IN_SECONDS * 2 ** Math.max(0, attempts - 1)
  return secondsAfter(now, Math.min(wait, LONGEST_RETRY_IN_SECONDS))
}
