/** What an approval is bound to. The same request under another type is another operation. */
export interface DigestedOperation {
  readonly type: string
  /** All that decides what will be done: JSON, whatever the order of its members. */
  readonly request: unknown
}
/**
 * SHA-256, base64url without padding, over the canonical JSON (RFC 8785) of type and request. Members that are undefined count as
 * left out, as in JSON.
 *
 * @throws {OperationNotCanonical} for what JSON has no word for: two operations would look alike.
 */
export declare function operationDigest({ type, request }: DigestedOperation): string
/** The operation has no one canonical form. */
export declare class OperationNotCanonical extends TypeError {
  readonly name = 'OperationNotCanonical'
  /** Where it is: `request.items[2]`. */
  readonly field: string
  constructor(field: string, what: string)
}
