import { DomainError } from './domain-error.ts'

/** What the user is asked to countersign: a digest that machines compare, and a summary that people read. */
export interface Operation {
  /** The kind of operation, as its service names it: `payments.initiate`. */
  readonly type: string
  /** SHA-256 over the operation's own request, base64url without padding. A changed request is another operation. */
  readonly digest: string
  /** What the user reads in the mail, in this order (PSD2 RTS art. 5(1)(a): amount and payee are made known to the payer). */
  readonly summary: readonly SummaryLine[]
}

export interface SummaryLine {
  readonly label: string
  readonly value: string
}

export const OPERATION_TYPE = /^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*$/
/**
 * 32 octets are 43 characters, and the last one carries only four bits. With any other last character one digest would have
 * two spellings, and so be two operations.
 */
export const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
/**
 * One line that is not blank. Line breaks and control characters (C0, C1, LS, PS) could make one line of a summary look like
 * two. Lone surrogates cannot be stored.
 */
export const READABLE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u

export const Operation = {
  maxTypeLength: 64,
  maxSummaryLines: 10,
  maxLabelLength: 40,
  maxValueLength: 200,

  /** @throws {OperationMalformed} naming the invalid field. */
  of({ type, digest, summary }: Operation): Operation {
    if (type.length > Operation.maxTypeLength || !OPERATION_TYPE.test(type)) {
      throw new OperationMalformed(
        'operation.type',
        'must be lower-case words joined by dots, at most 64 characters',
      )
    }
    if (!DIGEST.test(digest)) {
      throw new OperationMalformed('operation.digest', 'must be a SHA-256 in base64url, 43 characters')
    }
    if (summary.length === 0 || summary.length > Operation.maxSummaryLines) {
      throw new OperationMalformed('operation.summary', `must have 1 to ${Operation.maxSummaryLines} lines`)
    }
    for (const [index, { label, value }] of summary.entries()) {
      assertReadable(label, Operation.maxLabelLength, `operation.summary[${index}].label`)
      assertReadable(value, Operation.maxValueLength, `operation.summary[${index}].value`)
    }
    return { type, digest, summary: summary.map(({ label, value }) => ({ label, value })) }
  },

  /**
   * The one text of a summary, for its digest: the JSON of its lines in their order, each as `label`, then `value`. For strings
   * that {@link Operation.of} accepts, this is the canonical form of RFC 8785. Must never change: others compute it too.
   */
  canonicalSummary(summary: readonly SummaryLine[]): string {
    return JSON.stringify(summary.map(({ label, value }) => ({ label, value })))
  },
}

function assertReadable(text: string, maxLength: number, field: string): void {
  if (text.length > maxLength || !READABLE.test(text)) {
    throw new OperationMalformed(field, `must be 1 to ${maxLength} printable characters`)
  }
}

export class OperationMalformed extends DomainError {
  readonly code = 'operation-malformed'
  readonly field: string
  constructor(field: string, rule: string) {
    super(rule)
    this.field = field
  }
}
