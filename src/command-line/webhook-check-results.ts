import { GuardedNetworks } from '../adapters/webhook-http/guarded-networks.ts'
import type { Config } from '../config/read-config.ts'
import { CheckResult } from '../contracts/diagnostic-check.ts'
import type { WebhookEndpoint } from '../domain/webhook-endpoint.ts'
import { WebhookMalformed, WebhookUrl } from '../domain/webhook-registration.ts'

const NAME = 'webhooks'

/** Reports the endpoints that get no events, or none that their services can check. Names clients, and no URL: it may hold a token. */
export function webhookCheckResults(
  endpoints: readonly WebhookEndpoint[],
  { otpKeys, webhooks: { configured, destinations } }: Pick<Config, 'otpKeys' | 'webhooks'>,
): CheckResult[] {
  if (endpoints.length === 0) return [CheckResult.ok(NAME, 'no service has an endpoint for events')]

  const networks = new GuardedNetworks(destinations)
  const known = otpKeys?.map(({ id }) => id)
  const problems = endpoints.flatMap((endpoint) => [
    ...pauseOf(endpoint),
    ...lostSecretOf(endpoint, known),
    ...refusalOf(endpoint, networks),
    ...orphanOf(endpoint, configured !== undefined),
  ])
  return problems.length > 0 ? problems : [CheckResult.ok(NAME, summaryOf(endpoints))]
}

function pauseOf({ clientId, pausedAt }: WebhookEndpoint): CheckResult[] {
  if (!pausedAt) return []
  return [
    CheckResult.warning(
      NAME,
      `${clientId} gets no events since ${pausedAt.toISOString()}: its deliveries are paused`,
      `Let its service look at its endpoint, then run "countersign webhooks resume ${clientId}" (docs/operations.md#countersignwebhookpaused)`,
    ),
  ]
}

/** Without the key, the service signs events with its published key alone. In development the keys are made at the start. */
function lostSecretOf(
  { clientId, secrets }: WebhookEndpoint,
  known: readonly string[] | undefined,
): CheckResult[] {
  const [newest] = secrets
  if (!known || !newest || known.includes(newest.keyId)) return []
  return [
    CheckResult.failed(
      NAME,
      `the secret of ${clientId} needs the key ${newest.keyId}, which OTP_KEYS does not have`,
      `Add the key to OTP_KEYS again, or make another secret for its service: countersign webhooks secret ${clientId} --rotate`,
    ),
  ]
}

function refusalOf({ clientId, url }: WebhookEndpoint, networks: GuardedNetworks): CheckResult[] {
  try {
    if (url !== undefined) WebhookUrl.parse(url, networks)
    return []
  } catch (error) {
    if (!(error instanceof WebhookMalformed)) throw error
    return [
      CheckResult.failed(
        NAME,
        `no event can go to ${clientId}: its URL ${error.message}`,
        'Let its service register another URL, or name its network in WEBHOOK_ALLOWED_NETWORKS',
      ),
    ]
  }
}

function orphanOf({ clientId, registeredBy }: WebhookEndpoint, isConfigured: boolean): CheckResult[] {
  if (registeredBy === 'service' || isConfigured) return []
  return [
    CheckResult.warning(
      NAME,
      `${clientId} has an endpoint from an earlier value of WEBHOOKS, which is not set now`,
      'Set WEBHOOKS to what should be there: an endpoint that it does not have goes at the next start, and {} has none',
    ),
  ]
}

function summaryOf(endpoints: readonly WebhookEndpoint[]): string {
  const keys = new Set(endpoints.flatMap(({ secrets }) => secrets.map(({ keyId }) => keyId)))
  const count = `${endpoints.length} ${endpoints.length === 1 ? 'endpoint' : 'endpoints'} for events`
  return `${count}, whose secrets need ${keys.size === 1 ? 'the key' : 'the keys'} ${[...keys].toSorted().join(', ')}`
}
