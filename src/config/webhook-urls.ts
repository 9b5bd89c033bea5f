import { GuardedNetworks } from '../adapters/webhook-http/guarded-networks.ts'
import { WebhookMalformed, WebhookUrl } from '../domain/webhook-registration.ts'
import type { Environment } from './environment.ts'
import { subnets, webhooks } from './formats.ts'

/** To which addresses events may be sent. */
export interface WebhookDestinations {
  /** Also over plain HTTP. */
  readonly allowedNetworks: readonly string[]
  /** Over TLS alone. */
  readonly allowsPublic: boolean
}

const LOOPBACK = ['127.0.0.0/8', '::1']

/** Outside production nothing leads off this machine, and there is nothing to protect on it. */
export function webhookDestinations(
  production: boolean,
  allowedNetworks: readonly string[] = [],
): WebhookDestinations {
  return production
    ? { allowedNetworks, allowsPublic: true }
    : { allowedNetworks: LOOPBACK, allowsPublic: false }
}

/** The URLs as a delivery calls them. @throws {WebhookMalformed} for one that {@link webhookUrls} refuses. */
export function parsedWebhooks(
  endpoints: ReadonlyMap<string, string | undefined>,
  destinations: WebhookDestinations,
): ReadonlyMap<string, WebhookUrl | undefined> {
  const networks = new GuardedNetworks(destinations)
  return new Map(
    Array.from(endpoints, ([clientId, url]) => [
      clientId,
      url === undefined ? undefined : WebhookUrl.parse(url, networks),
    ]),
  )
}

/** Refuses URLs to which no event may be sent, by the rules for those that services register. */
export function webhookUrls(env: Environment): readonly string[] {
  // What is malformed is a problem of its own.
  const endpoints = env.WEBHOOKS ? webhooks.safeParse(env.WEBHOOKS).data : undefined
  const allowed = env.WEBHOOK_ALLOWED_NETWORKS ? subnets.safeParse(env.WEBHOOK_ALLOWED_NETWORKS).data : []
  if (!endpoints || !allowed) return []
  const destinations = webhookDestinations(env.NODE_ENV === 'production', allowed)
  return [...endpoints].flatMap((entry) => {
    try {
      parsedWebhooks(new Map([entry]), destinations)
      return []
    } catch (error) {
      if (!(error instanceof WebhookMalformed)) throw error
      return [`WEBHOOKS has a URL for ${entry[0]} that cannot be used: it ${error.message}`]
    }
  })
}
