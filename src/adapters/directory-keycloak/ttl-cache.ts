import type { Clock } from '../../application/ports/clock.ts'
import { secondsAfter } from '../../domain/instant.ts'

/** Answers that are given again for a few seconds. What fails is forgotten at once. */
export class TtlCache<T> {
  readonly #seconds: number
  readonly #capacity: number
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly answer: T; readonly askedAt: Date }>()
  readonly #underway = new Map<string, Promise<T>>()

  constructor(seconds: number, capacity: number, clock: Clock) {
    this.#seconds = seconds
    this.#capacity = capacity
    this.#clock = clock
  }

  /** The known answer, the one that is on its way, or a new one: whoever asks for `key` meanwhile waits for the same. */
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
        this.#keep(key, answer, askedAt)
        return answer
      })
      .finally(() => this.#underway.delete(key))
    this.#underway.set(key, learning)
    return learning
  }

  /** Counted from the question: the answer may have been decided right then. A clock set back makes nothing fresher. */
  #isFresh(askedAt: Date): boolean {
    const now = this.#clock.now()
    return askedAt <= now && now < secondsAfter(askedAt, this.#seconds)
  }

  #keep(key: string, answer: T, askedAt: Date): void {
    this.#known.delete(key)
    this.#known.set(key, { answer, askedAt })
    // A Map lists its keys in the order they came in, so the first is the one nearest to its end.
    if (this.#known.size > this.#capacity) this.#known.delete(this.#known.keys().next().value!)
  }
}
