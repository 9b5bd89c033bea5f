/** What a trouble may explain. */
export type Part = 'instance 0' | 'instance 1' | 'postmark' | 'smtp' | 'database'

/** From its start until everything works again. Times are those of `Date.now()`. */
export interface Trouble {
  readonly name: string
  readonly parts: readonly Part[]
  readonly beganAt: number
  endedAt: number
}

/** Tolerance for a busy machine, which does things a little late. */
const GRACE_IN_MS = 4000

/** All troubles, with their times. */
export class TroubleLog {
  readonly troubles: Trouble[] = []

  begin(name: string, ...parts: readonly Part[]): () => void {
    const trouble: Trouble = { name, parts, beganAt: Date.now(), endedAt: Number.POSITIVE_INFINITY }
    this.troubles.push(trouble)
    return () => {
      trouble.endedAt = Date.now()
    }
  }

  /** The part that is known once the trouble is over. */
  note(name: string, beganAt: number, ...parts: readonly Part[]): void {
    this.troubles.push({ name, parts, beganAt, endedAt: Date.now() })
  }

  /** The troubles of any of these parts that overlap the span, or ended shortly before. */
  during(from: number, to: number, parts: readonly Part[], graceInMs = GRACE_IN_MS): Trouble[] {
    return this.troubles.filter(
      (trouble) =>
        trouble.beganAt <= to &&
        from <= trouble.endedAt + graceInMs &&
        trouble.parts.some((part) => parts.includes(part)),
    )
  }

  /** The number of troubles, by name. */
  counts(): ReadonlyMap<string, number> {
    return new Map(
      [...Map.groupBy(this.troubles, ({ name }) => name)].map(([name, all]) => [name, all.length]),
    )
  }
}
