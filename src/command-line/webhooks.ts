import { HkdfWebhookSecrets } from '../adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import { PauseWebhook } from '../application/webhooks/pause-webhook.ts'
import { ReplayServiceEvents } from '../application/webhooks/replay-service-events.ts'
import { RotateWebhookSecret } from '../application/webhooks/rotate-webhook-secret.ts'
import { sharedWebhook } from '../application/webhooks/shared-webhook.ts'
import { withStorage } from '../composition/tooling.ts'
import { type Config, loadConfig } from '../config/read-config.ts'
import type { WebhookEndpoint } from '../domain/webhook-endpoint.ts'
import { WebhookNotFound } from '../domain/webhook-registration.ts'
import { aligned, type Output, print } from './terminal.ts'

const MISUSED = 2

/** Lists every endpoint, without its secrets. */
export function listWebhooks(output: Output): Promise<number> {
  return withStorage(loadConfig(), async ({ webhookEndpoints }) => {
    const endpoints = await webhookEndpoints.all()
    const rows = endpoints.map((endpoint) => [
      endpoint.clientId,
      stateOf(endpoint),
      `by ${endpoint.registeredBy}`,
      `${endpoint.secrets.length > 1 ? 'keys' : 'key'} ${endpoint.secrets.map(({ keyId }) => keyId).join(', ')}`,
      urlOf(endpoint) ?? 'reads its events with a cursor',
    ])
    const text = rows.length > 0 ? aligned(rows) : 'No service has an endpoint.'
    print({ endpoints: endpoints.map(reportOf) }, text, output)
    return 0
  })
}

export interface SecretOptions extends Output {
  /** Make a new secret first. The one before stays valid. */
  readonly rotate?: boolean
  /** Make a new secret first. The ones before end at once. */
  readonly leaked?: boolean
}

/** Prints the newest secret of an endpoint, for its service. */
export function showWebhookSecret(
  clientId: string,
  { rotate = false, leaked = false, ...output }: SecretOptions,
): Promise<number> {
  const config = loadConfig()
  const secrets = new HkdfWebhookSecrets(otpKeysOf(config))
  return withStorage(config, async ({ webhookEndpoints }) => {
    const find = async () => {
      const endpoint = await webhookEndpoints.find(clientId)
      if (!endpoint) throw new WebhookNotFound()
      return sharedWebhook(endpoint, secrets)
    }
    const { secret } =
      rotate || leaked
        ? await new RotateWebhookSecret(webhookEndpoints, secrets).execute({
            clientId,
            keepsPrevious: !leaked,
          })
        : await find()
    if (secret === undefined) {
      process.stderr.write(
        'OTP_KEYS no longer has the key of this secret. Add it again, or make a new secret with --rotate\n',
      )
      return 1
    }
    print({ clientId, secret }, secret, output)
    return 0
  })
}

export interface ReplayOptions extends Output {
  readonly after?: string
  readonly since?: string
}

/** Delivers events again: those after a position, or those that were stored since a time. */
export function replayEvents(
  clientId: string,
  { after, since, ...output }: ReplayOptions,
): Promise<number> | number {
  const from = startOf(after, since)
  if (!from) {
    process.stderr.write(
      'Name either --after <position>, as in 1893499200000000, or --since <time>, as in 2030-01-31T18:00:00Z\n',
    )
    return MISUSED
  }
  return withStorage(loadConfig(), async ({ webhookEndpoints, serviceEvents, clock }) => {
    const replay = new ReplayServiceEvents(webhookEndpoints, serviceEvents, clock)
    const replayed = await replay.execute({ clientId, from })
    const text = `${replayed} ${replayed === 1 ? 'event is' : 'events are'} delivered again`
    print({ clientId, replayed }, text, output)
    return 0
  })
}

/** Stops the deliveries to an endpoint, or resumes them. */
export function pauseWebhook(clientId: string, paused: boolean, output: Output): Promise<number> {
  return withStorage(loadConfig(), async ({ webhookEndpoints, clock }) => {
    const changed = await new PauseWebhook(webhookEndpoints, clock).execute({ clientId, paused })
    const text = paused
      ? 'paused: events are stored, and none is sent until you resume it'
      : changed
        ? 'resumed'
        : 'was not paused'
    print({ clientId, paused, changed }, text, output)
    return 0
  })
}

function startOf(
  after: string | undefined,
  since: string | undefined,
): { readonly after: number } | { readonly since: Date } | undefined {
  if ((after === undefined) === (since === undefined)) return undefined
  if (after !== undefined) {
    return /^\d{1,16}$/.test(after) && Number.isSafeInteger(Number(after))
      ? { after: Number(after) }
      : undefined
  }
  const time = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(since!) ? new Date(since!) : undefined
  return time && !Number.isNaN(time.getTime()) ? { since: time } : undefined
}

function otpKeysOf({ otpKeys }: Config) {
  if (!otpKeys)
    throw new Error(
      'OTP_KEYS is not set. Without it, ask the service for the secret: PUT …/webhooks/{clientId}',
    )
  return otpKeys
}

function stateOf({ url, pausedAt }: WebhookEndpoint): string {
  if (pausedAt) return `paused since ${pausedAt.toISOString()}`
  return url === undefined ? 'cursor' : 'active'
}

/** Without its query, which may hold a token of the service. */
function urlOf({ url }: WebhookEndpoint): string | undefined {
  const parsed = url === undefined ? undefined : URL.parse(url)
  return parsed ? `${parsed.origin}${parsed.pathname}${parsed.search && '?…'}` : undefined
}

function reportOf(endpoint: WebhookEndpoint) {
  const { clientId, pausedAt, registeredBy, secrets } = endpoint
  return {
    clientId,
    url: urlOf(endpoint) ?? null,
    pausedAt: pausedAt ?? null,
    registeredBy,
    secretKeys: secrets.map(({ keyId }) => keyId),
  }
}
