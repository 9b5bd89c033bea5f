import type { ErrorKey, FieldFaultCode } from './error-table.ts'

/** What is wrong with one field of a request. */
export interface FieldFault {
  readonly code: FieldFaultCode
  readonly message: string
  /** Where in the body, as `operation.summary[0].label`, or the name of a header. */
  readonly field: string
}

/** A request that is refused before it reaches a use case, or a verdict that is an error to HTTP. */
export class HttpError extends Error {
  readonly key: ErrorKey
  readonly fieldFaults: readonly FieldFault[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    outcome: ErrorKey,
    details: { fieldFaults?: readonly FieldFault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(outcome)
    this.key = outcome
    this.fieldFaults = details.fieldFaults ?? []
    this.headers = details.headers ?? {}
  }
}
