/** The purpose of a request. */
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

/** One request to one process, and its outcome. Times are those of `Date.now()`. */
export interface Call {
  readonly requestId: string
  readonly step: Step
  /** The challenge, user or issuance that it is about. Empty if unknown. */
  readonly about: string
  /** The parts of the request that the reconciliation compares with the outcome. */
  readonly said: Readonly<Record<string, string>>
  readonly instance: number
  readonly sentAt: number
  readonly endedAt: number
  /** Undefined without an answer: then it is unknown whether the service decided anything. */
  readonly status: number | undefined
  /** The last part of the code of an error. */
  readonly code: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: the reconciliation checks what a body holds
  readonly body: any
  /** Why no answer came. */
  readonly failure: string | undefined
}

/** Every request, every answer, and the faults that were visible at once. */
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

  /** Counts a walk that finished as planned. */
  finished(walk: string): void {
    this.#tally(walk).finished++
  }

  #tally(walk: string) {
    const tally = this.walks.get(walk) ?? { begun: 0, finished: 0 }
    this.walks.set(walk, tally)
    return tally
  }
}

/** Whether the service may have decided something that the sender does not know. */
export function isOutcomeUnknown({ status }: Call): boolean {
  return status === undefined || status >= 500
}
