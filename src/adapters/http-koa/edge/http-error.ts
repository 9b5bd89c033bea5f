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
  /** Replaces the message of the error table, and contains nothing of the request. */
  readonly ownMessage: string | undefined

  constructor(
    key: ErrorKey,
    details: {
      fieldFaults?: readonly FieldFault[]
      headers?: Readonly<Record<string, string>>
      message?: string
    } = {},
  ) {
    super(key)
    this.key = key
    this.fieldFaults = details.fieldFaults ?? []
    this.headers = details.headers ?? {}
    this.ownMessage = details.message
  }
}
