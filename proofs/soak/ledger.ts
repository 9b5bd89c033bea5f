/** What a request is meant to do. */
export type Step =
  | 'open'
  | 'initiate'
  | 'verify'
  | 'consume'
  | 'cancel'
  | 'inspect'
  | 'put'
  | 'erase'
  | 'lift'
  | 'report'
  | 'garbage'

/** One request that was sent to one process, and what came of it. Times are those of `Date.now()`. */
export interface Call {
  readonly requestId: string
  readonly step: Step
  /** The challenge, user or issuance that it is about; empty if it is about none that is known. */
  readonly about: string
  /** What it said, as far as its outcome has to be compared with that. */
  readonly said: Readonly<Record<string, string>>
  readonly instance: number
  readonly sentAt: number
  readonly endedAt: number
  /** Undefined where no answer came: nobody knows whether anything was decided. */
  readonly status: number | undefined
  /** The last part of the code of an error. */
  readonly code: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the reconciliation finds out
  readonly body: any
  /** Why there was no answer. */
  readonly failure: string | undefined
}

/** All that was sent and all that came back, and what was wrong about it as soon as it came. */
export class Ledger {
  readonly calls: Call[] = []
  readonly complaints: string[] = []
  readonly walks = new Map<string, { begun: number; finished: number }>()

  note(call: Call): void {
    this.calls.push(call)
  }

  complain(complaint: string): void {
    this.complaints.push(complaint)
  }

  begun(walk: string): void {
    this.#tally(walk).begun++
  }

  /** It came to the end that it was meant to have. */
  finished(walk: string): void {
    this.#tally(walk).finished++
  }

  #tally(walk: string) {
    const tally = this.walks.get(walk) ?? { begun: 0, finished: 0 }
    this.walks.set(walk, tally)
    return tally
  }
}

/** Whether anything may have been decided by it that its sender does not know of. */
export function isOutcomeUnknown({ status }: Call): boolean {
  return status === undefined || status >= 500
}
