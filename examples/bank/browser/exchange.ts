/** What a page asked for, and what it was answered. */
export interface Heard {
  readonly at: string
  readonly method: string
  readonly path: string
  readonly request: unknown
  /** Undefined if there was no answer. */
  readonly status: number | undefined
  readonly answer: unknown
}

/** On which the bank's page tells the stage. */
export const CHANNEL = 'demo-bank'
