import { secondsAfter } from '../../domain/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { Purged, Retention } from '../ports/retention.ts'

/** Small enough that requests do not notice its locks. */
const BATCH_SIZE = 500
/** A challenge has about five events, and nobody waits for one. */
const EVENT_BATCH_SIZE = 5000
const DAY_IN_SECONDS = 86_400

export interface RetentionPeriods {
  /** How long after its end a challenge is kept, with everything personal in it. */
  readonly challengesInDays: number
  /** How long an event is kept. */
  readonly trailInDays: number
}

/** Deletes challenges and events that are past their retention periods. */
export class PurgeChallenges {
  readonly #retention: Pick<Retention, 'purge' | 'purgeTrail'>
  readonly #clock: Clock
  readonly #periods: RetentionPeriods

  constructor(retention: Pick<Retention, 'purge' | 'purgeTrail'>, clock: Clock, periods: RetentionPeriods) {
    this.#retention = retention
    this.#clock = clock
    this.#periods = periods
  }

  /** Yields the totals so far after each batch. The reader sets the pace: the purge ends when the reader stops. */
  async *execute(): AsyncGenerator<Purged> {
    const { challengesInDays, trailInDays } = this.#periods
    const expiredBefore = secondsAfter(this.#clock.now(), -challengesInDays * DAY_IN_SECONDS)
    const total = { challenges: 0, events: 0 }
    for (const purge of [
      this.#retention.purge(expiredBefore, BATCH_SIZE),
      this.#retention.purgeTrail(trailInDays, EVENT_BATCH_SIZE),
    ]) {
      for await (const { challenges, events } of purge) {
        total.challenges += challenges
        total.events += events
        yield { ...total }
      }
    }
  }
}
