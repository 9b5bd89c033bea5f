import { secondsAfter } from '../../domain/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { Purged, Retention } from '../ports/retention.ts'

/** Small enough that its locks are gone before a request would notice them. */
const BATCH_SIZE = 500
const DAY_IN_SECONDS = 86_400

/** Deletes challenges, and all that tells of them, once they have been over for as long as they are to be kept. */
export class PurgeChallenges {
  readonly #retention: Pick<Retention, 'purge'>
  readonly #clock: Clock
  readonly #retentionInDays: number

  constructor(retention: Pick<Retention, 'purge'>, clock: Clock, retentionInDays: number) {
    this.#retention = retention
    this.#clock = clock
    this.#retentionInDays = retentionInDays
  }

  /** Gives after each batch what has been deleted so far. The pace is the reader's: who reads no further stops the purge. */
  async *execute(): AsyncGenerator<Purged> {
    const expiredBefore = secondsAfter(this.#clock.now(), -this.#retentionInDays * DAY_IN_SECONDS)
    const total = { challenges: 0, events: 0 }
    for await (const { challenges, events } of this.#retention.purge(expiredBefore, BATCH_SIZE)) {
      total.challenges += challenges
      total.events += events
      yield { ...total }
    }
  }
}
