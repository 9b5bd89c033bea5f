const WINDOW_IN_MS = 60_000

/** Counts the visits to each link, minute by minute. Only links of ours are counted, so nobody can fill its memory with others. */
export class Visits {
  readonly #most: number
  readonly #now: () => number
  #counts = new Map<string, number>()
  #window = 0

  /** @param most visits to one link in a minute. @param now milliseconds, never backwards. */
  constructor(most = 30, now: () => number = () => performance.now()) {
    this.#most = most
    this.#now = now
  }

  /** Whether one more visit to the link is allowed now. Counts it. */
  admit(token: string): boolean {
    const window = Math.floor(this.#now() / WINDOW_IN_MS)
    if (window !== this.#window) {
      this.#window = window
      this.#counts = new Map()
    }
    const count = (this.#counts.get(token) ?? 0) + 1
    this.#counts.set(token, count)
    return count <= this.#most
  }
}
