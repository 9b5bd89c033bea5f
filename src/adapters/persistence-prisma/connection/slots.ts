/** A few groups are under way at a time, each in a slot. The others wait, and the one that came first goes next. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  /** @param most how many groups are under way at a time. */
  constructor(most: number) {
    this.#free = most
  }

  /** Calls `begin` as soon as a slot is free, which may be at once. The slot has to be freed by {@link free}. */
  take(begin: () => void): void {
    if (this.takeNow()) begin()
    else this.#waiting.push(begin)
  }

  /** False if no slot is free. */
  takeNow(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  free(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
