import type { IncomingMessage } from 'node:http'
import type { JSONWebKeySet } from 'jose'
import { eventBody } from './event-body.ts'
import { EventRefused } from './event-refused.ts'
import { type HandledEvents, RecentlyHandledEvents } from './handled-events.ts'
import { PublishedKeys } from './published-keys.ts'
import { readEvent, type ServiceEvent, type ServiceEventType, type UnknownEvent } from './service-event.ts'
import {
  type EventHeaders,
  hasSignature,
  isSignedWithKey,
  isSignedWithSecret,
  type SignedHeaders,
  secretBytes,
  signedHeaders,
} from './webhook-signatures.ts'

/** What to do with each type of event. Events without a handler are accepted and dropped. */
export type EventHandlers = {
  readonly [Type in ServiceEventType]?: (
    event: Extract<ServiceEvent, { readonly type: Type }>,
  ) => void | Promise<void>
}

export interface EventReceiverOptions {
  /** The client id of this service at its identity provider. Events of other clients are refused. */
  readonly clientId: string
  /**
   * The secrets that the service gave for the endpoint, each `whsec_…`. While you change over there are two. Needed unless there is
   * `jwks`; with both, a delivery has to fit one of them.
   */
  readonly secrets?: readonly string[]
  /** The published keys of the service, or their URL, `/.well-known/jwks.json`: https, or http on this machine. */
  readonly jwks?: URL | JSONWebKeySet
  /** Whether the URL of the keys may be plain HTTP to another machine. Default: false. */
  readonly allowPlainHttp?: boolean
  /**
   * Your handlers. If one throws or rejects, the answer is what your framework makes of that, such as 500. The service then delivers
   * the event again, and no later event of the challenge before it.
   */
  readonly on: EventHandlers
  /** Recognises repeats. Default: `RecentlyHandledEvents`, in the memory of this process. */
  readonly handled?: HandledEvents
  /** How far the time of sending may be from now. Default: 300. */
  readonly toleranceInSeconds?: number
  /** Called for logging, with each delivery that is refused. If it throws, the process gets a warning. */
  readonly onRefused?: (refused: EventRefused) => void
  /** Default: the clock of this machine. */
  readonly now?: () => Date
}

/** What the service gets. The body is JSON, or empty. */
export interface EventAnswer {
  readonly status: number
  readonly body: string
}

const TOLERANCE_IN_SECONDS = 300

/** Verifies deliveries of a Countersign service, recognises repeats, and calls your handlers. */
export class EventReceiver {
  readonly #options: EventReceiverOptions
  readonly #secrets: readonly Buffer[]
  readonly #keys: PublishedKeys | undefined
  readonly #handled: HandledEvents

  /** @throws {TypeError} without `secrets` and `jwks`, or if one of them cannot be used. */
  constructor(options: EventReceiverOptions) {
    const { secrets = [], jwks, allowPlainHttp, handled = new RecentlyHandledEvents() } = options
    if (secrets.length === 0 && !jwks)
      throw new TypeError('secrets or jwks is needed: nothing would be verified')
    this.#options = options
    this.#secrets = secrets.map(secretBytes)
    this.#keys = jwks && new PublishedKeys(jwks, allowPlainHttp)
    this.#handled = handled
  }

  /**
   * Handles a delivery, unless it is a repeat, and returns what to answer.
   *
   * @param headers by their names in lower case, as Node has them.
   * @param body as it arrived, byte by byte: a body that was parsed and written again has another signature.
   * @throws what your handler throws.
   */
  async receive(headers: EventHeaders, body: Buffer | string | Promise<Buffer>): Promise<EventAnswer> {
    try {
      const event = await this.verify(headers, await body)
      await this.#handled.once(event.id, async () => this.#handle(event))
      return { status: 204, body: '' }
    } catch (error) {
      if (!(error instanceof EventRefused)) throw error
      return this.#refuse(error)
    }
  }

  /**
   * Reads the body of a request, and handles the delivery as `receive` does. For a server without a framework.
   *
   * @throws what your handler throws.
   */
  receiveFrom(request: IncomingMessage): Promise<EventAnswer> {
    return this.receive(request.headers, eventBody(request))
  }

  /** The event of a delivery, without handling it. @throws {EventRefused} if it must not be believed. */
  async verify(headers: EventHeaders, body: Buffer | string): Promise<ServiceEvent | UnknownEvent> {
    const signed = signedHeaders(headers)
    if (!signed) throw new EventRefused('EVENT_HEADERS_NOT_VALID')
    const bytes = Buffer.from(body)
    if (!(await this.#isSigned(signed, bytes))) throw new EventRefused('EVENT_SIGNATURE_NOT_VALID')
    const { toleranceInSeconds = TOLERANCE_IN_SECONDS, now = () => new Date(), clientId } = this.#options
    // A tolerance that is no number refuses all.
    if (!(Math.abs(now().getTime() / 1000 - signed.timestamp) <= toleranceInSeconds)) {
      throw new EventRefused('EVENT_TIME_NOT_VALID')
    }
    const event = eventIn(bytes)
    // The published keys sign the events of all clients. One client could pass on what it got.
    if (event.clientId !== clientId) throw new EventRefused('EVENT_OF_ANOTHER_CLIENT')
    return event
  }

  #refuse(refused: EventRefused): EventAnswer {
    try {
      this.#options.onRefused?.(refused)
    } catch (error) {
      process.emitWarning(new Error('onRefused threw', { cause: error }))
    }
    const { code, message, status } = refused
    return { status, body: JSON.stringify({ code, message }) }
  }

  async #isSigned(headers: SignedHeaders, body: Buffer): Promise<boolean> {
    if (isSignedWithSecret(this.#secrets, headers, body)) return true
    if (!this.#keys || !hasSignature(headers, 'v1a')) return false
    try {
      return await this.#keys.have((keys) => isSignedWithKey(keys, headers, body))
    } catch (cause) {
      throw new EventRefused('EVENT_KEYS_UNAVAILABLE', cause)
    }
  }

  async #handle(event: ServiceEvent | UnknownEvent): Promise<void> {
    if (event.type === undefined) return
    const handler = this.#options.on[event.type] as
      | ((event: ServiceEvent) => void | Promise<void>)
      | undefined
    await handler?.(event)
  }
}

function eventIn(body: Buffer): ServiceEvent | UnknownEvent {
  try {
    return readEvent(JSON.parse(body.toString()))
  } catch (cause) {
    throw new EventRefused('EVENT_NOT_VALID', cause)
  }
}
