/** What a trouble may be the reason for. */
export type Part = 'instance 0' | 'instance 1' | 'postmark' | 'smtp' | 'database'

/** From its beginning until all is as before. Times are those of `Date.now()`. */
export interface Trouble {
  readonly name: string
  readonly parts: readonly Part[]
  readonly beganAt: number
  endedAt: number
}

/** Room for what a busy machine does a little later than it was due. */
const GRACE_IN_MS = 4000

/** All that was broken, when. */
export class TroubleLog {
  readonly troubles: Trouble[] = []

  begin(name: string, ...parts: readonly Part[]): () => void {
    const trouble: Trouble = { name, parts, beganAt: Date.now(), endedAt: Number.POSITIVE_INFINITY }
    this.troubles.push(trouble)
    return () => {
      trouble.endedAt = Date.now()
    }
  }

  /** What is known once it is over. */
  note(name: string, beganAt: number, ...parts: readonly Part[]): void {
    this.troubles.push({ name, parts, beganAt, endedAt: Date.now() })
  }

  /** Those of any of the parts that were under way, or hardly over, at some time of the span. */
  during(from: number, to: number, parts: readonly Part[], graceInMs = GRACE_IN_MS): Trouble[] {
    return this.troubles.filter(
      (trouble) =>
        trouble.beganAt <= to &&
        from <= trouble.endedAt + graceInMs &&
        trouble.parts.some((part) => parts.includes(part)),
    )
  }

  /** How many there were, by name. */
  counts(): ReadonlyMap<string, number> {
    return new Map(
      [...Map.groupBy(this.troubles, ({ name }) => name)].map(([name, all]) => [name, all.length]),
    )
  }
}
