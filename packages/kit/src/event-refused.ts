const REFUSALS = {
  EVENT_HEADERS_NOT_VALID: [400, 'The headers of Standard Webhooks are missing or malformed'],
  EVENT_NOT_VALID: [400, 'The body is not an event of Countersign'],
  EVENT_TOO_LONG: [413, 'The body is longer than any event'],
  EVENT_SIGNATURE_NOT_VALID: [401, 'No signature is of the service'],
  EVENT_TIME_NOT_VALID: [401, 'The delivery was sent too long ago, or the clocks differ'],
  EVENT_OF_ANOTHER_CLIENT: [403, 'The event is of another client'],
  EVENT_KEYS_UNAVAILABLE: [503, 'The keys of the service are unavailable'],
} as const satisfies Record<string, readonly [number, string]>

export type EventRefusalCode = keyof typeof REFUSALS

/** The delivery must not be believed. Neither message nor fields contain what was sent. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused'
  /** Why. */
  readonly code: EventRefusalCode
  /** The status that the service gets. */
  readonly status: number

  constructor(code: EventRefusalCode, cause?: unknown) {
    const [status, message] = REFUSALS[code]
    super(message, cause === undefined ? {} : { cause })
    this.code = code
    this.status = status
  }
}
