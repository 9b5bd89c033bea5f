import { StorageUnavailable } from '../../../contracts/storage-unavailable.ts'

/** A change that waits holds up nothing, and those before it end by their own time-outs. */
const MOST_WAIT_IN_MS = 8000

/** Lets changes about one subject run one after the other, so that a subject holds one connection of the pool at most. */
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
    const result = before.then(() => {
      if (performance.now() - since > this.#mostWaitInMs) throw new StorageUnavailable('no turn in time')
      return change()
    })
    const ended = result.then(
      () => {},
      () => {},
    )
    this.#last.set(subjectUserId, ended)
    try {
      return await result
    } finally {
      if (this.#last.get(subjectUserId) === ended) this.#last.delete(subjectUserId)
    }
  }
}
