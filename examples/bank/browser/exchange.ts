/** A request of a page, and its answer. */
export interface PageExchange {
  readonly at: string
  readonly method: string
  readonly path: string
  readonly request: unknown
  /** Undefined without an answer. */
  readonly status: number | undefined
  readonly answer: unknown
}

/** The channel from the bank's page to the stage. */
export const CHANNEL = 'demo-bank'
