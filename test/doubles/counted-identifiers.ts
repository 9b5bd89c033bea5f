import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/application/ports/clock.ts'
import type { Identifiers } from '../../src/application/ports/identifiers.ts'
import { idInBucketOf } from '../../src/domain/bucket.ts'

let made = 0

/** Ids with the time of a clock. They count up, over all instances. */
export class CountedIdentifiers implements Identifiers {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  next(subjectUserId: string): string {
    const time = this.#clock.now().getTime().toString(16).padStart(12, '0')
    const count = (++made).toString(16).padStart(6, '0')
    const place = `7${count.slice(0, 3)}-8${count.slice(3)}`
    return idInBucketOf(
      subjectUserId,
      `${time.slice(0, 8)}-${time.slice(8)}-${place}-${randomUUID().slice(-12)}`,
    )
  }
}
