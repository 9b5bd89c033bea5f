import { setTimeout as wait } from 'node:timers/promises'
import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'

/** A change that waits holds up nothing, and those before it end by their own time-outs. */
const MOST_WAIT_IN_MS = 8000
/** A subject rests after a change for this multiple of the time that it took. Then it takes a quarter of a connection at most. */
const REST_FACTOR = 3
/** A lock that was waited for is no work, so it makes no longer rest. */
const MOST_REST_IN_MS = 50

/**
 * Lets changes about one subject run one after the other, so that a subject holds one connection of the pool at most. A subject that
 * changes without end rests in between. Its callers get their answers at once; only its next change waits.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()
  readonly #mostWaitInMs: number

  constructor(mostWaitInMs = MOST_WAIT_IN_MS) {
    this.#mostWaitInMs = mostWaitInMs
  }

  /** Runs `change` when those before it have ended. @throws {StorageUnavailable} if they take too long. */
  async take<Result>(subjectUserId: string, change: () => Promise<Result>): Promise<Result> {
    const since = performance.now()
    const before = this.#last.get(subjectUserId) ?? Promise.resolve()
    let begun = since
    const result = before.then(() => {
      begun = performance.now()
      if (begun - since > this.#mostWaitInMs) throw new StorageUnavailable('no turn in time')
      return change()
    })
    const rest = () => wait(Math.min(REST_FACTOR * (performance.now() - begun), MOST_REST_IN_MS))
    const ended = result.then(rest, rest)
    this.#last.set(subjectUserId, ended)
    void ended.then(() => {
      if (this.#last.get(subjectUserId) === ended) this.#last.delete(subjectUserId)
    })
    return result
  }
}
