import type { WebhookEndpoint, WebhookSecretOrigin } from '../../../domain/webhook-endpoint.ts'
import { Prisma } from '../generated/client.ts'
import { columns } from '../row-mapping.ts'

export const ENDPOINT_COLUMNS = Prisma.raw(columns('w', 'client_id url secrets registered_by paused_at'))

export interface WebhookEndpointRow {
  readonly w_client_id: string
  readonly w_url: string | null
  readonly w_secrets: readonly WebhookSecretOrigin[]
  readonly w_registered_by: string
  readonly w_paused_at: Date | null
}

export function endpointOf(row: WebhookEndpointRow): WebhookEndpoint {
  return {
    clientId: row.w_client_id,
    url: row.w_url ?? undefined,
    secrets: row.w_secrets,
    pausedAt: row.w_paused_at ?? undefined,
    registeredBy: row.w_registered_by as WebhookEndpoint['registeredBy'],
  }
}
