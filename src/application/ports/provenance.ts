import type { Caller } from './access-tokens.ts'

/** Where a request came from. */
export interface Origin {
  readonly requestId: string
  /** The address that the connection came from; behind a proxy that is the proxy's. */
  readonly remoteAddress?: string | undefined
  /**
   * Its place in a trace that others take part in, in the form of `traceparent` (W3C Trace Context §3.2), where requests are
   * traced. Goes with an issued code to the delivery of its mail, and into no event.
   */
  readonly traceContext?: string | undefined
}

/** On whose behalf a decision is made, for the audit trail. The origin is there when a request was the cause. */
export interface Provenance extends Partial<Origin> {
  /** `user:<id>`, `client:<id>`, `operator:<what>`, `mail-system` or `service`. */
  readonly actor: string
}

/** Whoever takes our mails over, as the actor of what it reports. */
export const MAIL_SYSTEM = 'mail-system'

/** A caller as the actor of what it asked for. */
export function actorOf(caller: Caller): string {
  return caller.kind === 'user' ? `user:${caller.userId}` : `client:${caller.clientId}`
}
