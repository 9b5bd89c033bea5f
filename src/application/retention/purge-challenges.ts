import { secondsAfter } from '../../domain/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { Purged, Retention } from '../ports/retention.ts'

/** Small enough that requests do not notice its locks. */
const BATCH_SIZE = 500
const DAY_IN_SECONDS = 86_400

/** Deletes challenges that expired longer ago than the retention period, with everything recorded about them. */
export class PurgeChallenges {
  readonly #retention: Pick<Retention, 'purge'>
  readonly #clock: Clock
  readonly #retentionInDays: number

  constructor(retention: Pick<Retention, 'purge'>, clock: Clock, retentionInDays: number) {
    this.#retention = retention
    this.#clock = clock
    this.#retentionInDays = retentionInDays
  }

  /** Yields the totals so far after each batch. The reader sets the pace: the purge ends when the reader stops. */
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
