/** Where groups take turns: a few are under way at a time, the others wait, and the one that came first goes next. */
export class Lane {
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  /** @param most how many are under way at a time. */
  constructor(most: number) {
    this.#most = most
  }

  /** Calls `begin` as soon as there is a place, which may be at once. Each place that was taken has to be given up with {@link leave}. */
  enter(begin: () => void): void {
    if (this.#underWay < this.#most) {
      this.#underWay++
      begin()
    } else this.#waiting.push(begin)
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#underWay--
  }
}
