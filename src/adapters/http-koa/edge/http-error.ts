import type { FieldFaultCode, Outcome } from './error-table.ts'

/** What is wrong with one field of a request. */
export interface FieldFault {
  readonly code: FieldFaultCode
  readonly message: string
  /** Where in the body, as `operation.summary[0].label`, or the name of a header. */
  readonly field: string
}

/** A request that is refused before it reaches a use case, or a verdict that is an error to HTTP. */
export class Refusal extends Error {
  readonly outcome: Outcome
  readonly fieldFaults: readonly FieldFault[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    outcome: Outcome,
    details: { fieldFaults?: readonly FieldFault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(outcome)
    this.outcome = outcome
    this.fieldFaults = details.fieldFaults ?? []
    this.headers = details.headers ?? {}
  }
}
