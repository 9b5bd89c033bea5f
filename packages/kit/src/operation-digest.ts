import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** What an approval is bound to. */
export interface DigestedOperation {
  /** The kind of operation. The same request under another type is another operation. */
  readonly type: string
  /** Everything that decides what will be done, as JSON. The order of members does not matter. */
  readonly request: unknown
}

/**
 * SHA-256, base64url without padding, over the canonical JSON (RFC 8785) of type and request. Members that are undefined count as
 * left out, as in JSON.
 *
 * @throws {OperationNotCanonical} if the request has a value that JSON cannot express, because two operations could then look alike.
 */
export function operationDigest({ type, request }: DigestedOperation): string {
  assertJson(request, 'request')
  return createHash('sha256').update(canonicalize({ type, request })!).digest('base64url')
}

/** The operation has no canonical form in JSON. */
export class OperationNotCanonical extends TypeError {
  override readonly name = 'OperationNotCanonical'
  /** The part of the request, such as `request.items[2]`. */
  readonly field: string
  constructor(field: string, what: string) {
    super(`${field} ${what}`)
    this.field = field
  }
}

const MAX_DEPTH = 64

/** Rejects values that JSON would replace: it writes a `Map` as `{}` and a hole in a list as null. */
function assertJson(value: unknown, field: string, depth = 0): void {
  if (value === null || typeof value === 'boolean') return
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new OperationNotCanonical(field, 'has half of a surrogate pair')
    return
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new OperationNotCanonical(field, 'is not a finite number')
    // RFC 8785 builds on I-JSON (RFC 7493 §2.2). Beyond these numbers, two different integers become the same number.
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new OperationNotCanonical(field, 'is too large for an exact number; write it as text')
    }
    return
  }
  if (depth > MAX_DEPTH) throw new OperationNotCanonical(field, 'is nested too deeply, or contains itself')
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertJson(item, `${field}[${index}]`, depth + 1)
  } else if (isPlain(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (!name.isWellFormed()) throw new OperationNotCanonical(field, 'has a name of half a surrogate pair')
      if (member !== undefined) assertJson(member, `${field}.${name}`, depth + 1)
    }
  } else {
    throw new OperationNotCanonical(field, 'is not JSON')
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
