import type { Caller } from './access-tokens.ts'

/** Where a request came from. */
export interface Origin {
  readonly requestId: string
  /** The address that the connection came from. Behind a proxy it is the proxy's address. */
  readonly remoteAddress?: string | undefined
  /**
   * The place of the request in a distributed trace, as a `traceparent` (W3C Trace Context §3.2), if requests are traced. It is
   * stored with an issued code, for the delivery of its mail, and with no event.
   */
  readonly traceContext?: string | undefined
}

/** Who caused a decision, for the audit trail. Includes the origin if a request was the cause. */
export interface Provenance extends Partial<Origin> {
  /** `user:<id>`, `client:<id>`, `agent:<id>`, `operator:<what>`, `mail-reader`, `mail-system` or `service`. */
  readonly actor: string
}

/** The mail system, as the actor of what it reports. */
export const MAIL_SYSTEM = 'mail-system'

/** Somebody who followed the link in a mail. Nobody has authenticated them: the mail may have been passed on. */
export const MAIL_READER = 'mail-reader'

/** The client that acted; undefined if none did. */
export function clientOf({ actor }: Pick<Provenance, 'actor'>): string | undefined {
  return /^client:(.+)/s.exec(actor)?.[1]
}

/** A caller, as the actor of its request. */
export function actorOf(caller: Caller): string {
  return caller.kind === 'user' ? `user:${caller.userId}` : `client:${caller.clientId}`
}
