import type { ErrorKey, FieldFaultCode } from './error-table.ts'

/** What is wrong with one field of a request. */
export interface FieldFault {
  readonly code: FieldFaultCode
  readonly message: string
  /** The path in the body, such as `operation.summary[0].label`, or the name of a header. */
  readonly field: string
}

/** A request that fails before it reaches a use case, or a verdict that HTTP reports as an error. */
export class HttpError extends Error {
  readonly key: ErrorKey
  readonly fieldFaults: readonly FieldFault[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    key: ErrorKey,
    details: { fieldFaults?: readonly FieldFault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(key)
    this.key = key
    this.fieldFaults = details.fieldFaults ?? []
    this.headers = details.headers ?? {}
  }
}
