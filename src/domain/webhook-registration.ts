import { DomainError } from './domain-error.ts'
import type { WebhookEndpoint, WebhookSecretOrigin } from './webhook-endpoint.ts'

/** The URL of an endpoint, checked. */
export type WebhookUrl = string & { readonly __brand: 'WebhookUrl' }

/** The longest URL of an endpoint, as the URL parser writes it. */
export const MAX_WEBHOOK_URL = 2048

/** To which hosts events may go, by the configuration. */
export interface WebhookNetworks {
  /**
   * The rule that a URL breaks, as in "must not …"; undefined if it breaks none. A name that leads nowhere good breaks none here: where it
   * leads shows when it is called.
   *
   * @param hostname as the URL parser writes it.
   */
  refusalOf(hostname: string, encrypted: boolean): string | undefined
}

export const WebhookUrl = {
  /**
   * Reads the URL as a delivery will call it: its host in lower case, an address in its one spelling.
   *
   * @throws {WebhookMalformed}
   */
  parse(text: string, networks: WebhookNetworks): WebhookUrl {
    const url = URL.parse(text)
    if (!url || /[\p{Cc}\s]/u.test(text)) throw new WebhookMalformed('must be a URL')
    const encrypted = url.protocol === 'https:'
    if (!encrypted && url.protocol !== 'http:') throw new WebhookMalformed('must be an https:// URL')
    if (url.username || url.password) throw new WebhookMalformed('must not have a user or a password')
    // An empty fragment leaves no trace in the parsed parts.
    if (text.includes('#')) throw new WebhookMalformed('must not have a fragment')
    if (text.length > MAX_WEBHOOK_URL || url.href.length > MAX_WEBHOOK_URL)
      throw new WebhookMalformed(`must have at most ${MAX_WEBHOOK_URL} characters`)
    const refusal = networks.refusalOf(url.hostname, encrypted)
    if (refusal) throw new WebhookMalformed(refusal)
    return url.href as WebhookUrl
  },
}

/** What a service, or the operator for it, asks for. */
export interface WebhookDemand {
  readonly clientId: string
  /** Undefined: the service reads its events with a cursor, and gets none. */
  readonly url: WebhookUrl | undefined
  readonly registeredBy: WebhookEndpoint['registeredBy']
}

/** What may be decided about an endpoint. A decision that changes nothing returns the very endpoint that it was given. */
export const WebhookRegistration = {
  /**
   * A repeat keeps the secrets. What a service registers, it wants to get: that resumes a paused endpoint. A configuration is read at
   * each start, so it resumes one with another URL only. What the operator has registered, the service may repeat, and not change.
   *
   * @throws {WebhookConfigured}
   */
  register(
    current: WebhookEndpoint | undefined,
    { clientId, url, registeredBy }: WebhookDemand,
    secret: WebhookSecretOrigin,
  ): WebhookEndpoint {
    if (!current) return { clientId, url, secrets: [secret], pausedAt: undefined, registeredBy }
    const byService = registeredBy === 'service'
    if (byService && current.url !== url) WebhookRegistration.assertOwn(current)

    const owner = byService ? current.registeredBy : registeredBy
    const pausedAt = byService || current.url !== url ? undefined : current.pausedAt
    const isSame = current.url === url && current.registeredBy === owner && current.pausedAt === pausedAt
    return isSame ? current : { ...current, url, pausedAt, registeredBy: owner }
  },

  /** @throws {WebhookConfigured} if the operator has registered it: the configuration alone changes or removes it. */
  assertOwn(endpoint: WebhookEndpoint): void {
    if (endpoint.registeredBy === 'configuration') throw new WebhookConfigured()
  },

  /**
   * Gives the endpoint another secret.
   *
   * @param keepsPrevious whether the newest one so far stays valid beside it, so that the service can change over without losing an event.
   */
  rotateSecret(
    current: WebhookEndpoint,
    secret: WebhookSecretOrigin,
    keepsPrevious: boolean,
  ): WebhookEndpoint {
    return { ...current, secrets: [secret, ...current.secrets.slice(0, keepsPrevious ? 1 : 0)] }
  },

  /** Stops deliveries until somebody resumes them. @param at undefined to resume them. */
  pause(current: WebhookEndpoint, at: Date | undefined): WebhookEndpoint {
    return at === undefined && current.pausedAt === undefined ? current : { ...current, pausedAt: at }
  },
}

export class WebhookMalformed extends DomainError {
  readonly code = 'webhook-malformed'
  readonly field = 'url'
}

export class WebhookNotFound extends DomainError {
  readonly code = 'webhook-not-found'
  constructor() {
    super('The client has no endpoint')
  }
}

export class WebhookConfigured extends DomainError {
  readonly code = 'webhook-configured'
  constructor() {
    super('The operator has registered the endpoint')
  }
}
