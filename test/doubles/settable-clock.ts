import type { Clock } from '../../src/application/ports/clock.ts'
import { secondsAfter } from '../../src/domain/instant.ts'

/** A clock that only a test moves. */
export class SettableClock implements Clock {
  #now: Date

  constructor(now: Date) {
    this.#now = now
  }

  now() {
    return this.#now
  }

  pass(seconds: number) {
    this.#now = secondsAfter(this.#now, seconds)
  }
}
