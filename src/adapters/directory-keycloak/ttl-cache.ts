import type { Clock } from '../../application/ports/clock.ts'
import { secondsAfter } from '../../domain/instant.ts'

/** Reuses answers for a few seconds. It does not keep failures, nor answers that `keeps` leaves out. */
export class TtlCache<T> {
  readonly #seconds: number
  readonly #capacity: number
  readonly #clock: Clock
  readonly #keeps: (answer: T) => boolean
  readonly #known = new Map<string, { readonly answer: T; readonly askedAt: Date }>()
  readonly #underway = new Map<string, Promise<T>>()

  constructor(seconds: number, capacity: number, clock: Clock, keeps: (answer: T) => boolean = () => true) {
    this.#seconds = seconds
    this.#capacity = capacity
    this.#clock = clock
    this.#keeps = keeps
  }

  /** Returns the kept answer, or loads it. Concurrent calls for the same `key` share one load. */
  async getOrLoad(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key)
    if (known && this.#isFresh(known.askedAt)) return known.answer

    const underway = this.#underway.get(key) ?? this.#learn(key, ask)
    return underway
  }

  #learn(key: string, ask: () => Promise<T>): Promise<T> {
    const askedAt = this.#clock.now()
    const learning = ask()
      .then((answer) => {
        if (this.#keeps(answer)) this.#keep(key, answer, askedAt)
        return answer
      })
      .finally(() => this.#underway.delete(key))
    this.#underway.set(key, learning)
    return learning
  }

  /** Counts from the request, because the answer may date from then. If the clock was set back, nothing is fresh. */
  #isFresh(askedAt: Date): boolean {
    const now = this.#clock.now()
    return askedAt <= now && now < secondsAfter(askedAt, this.#seconds)
  }

  #keep(key: string, answer: T, askedAt: Date): void {
    this.#known.delete(key)
    this.#known.set(key, { answer, askedAt })
    // A Map lists its keys in insertion order, so the first one expires first.
    if (this.#known.size > this.#capacity) this.#known.delete(this.#known.keys().next().value!)
  }
}
