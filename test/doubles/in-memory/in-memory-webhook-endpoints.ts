import { isDeepStrictEqual } from 'node:util'
import type { WebhookEndpoints } from '../../../src/application/ports/webhook-endpoints.ts'
import type { WebhookEndpoint } from '../../../src/domain/webhook-endpoint.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryWebhookEndpoints implements WebhookEndpoints {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async find(clientId: string): Promise<WebhookEndpoint | undefined> {
    await turn()
    return this.#state.endpoints.get(clientId)
  }

  async all(): Promise<readonly WebhookEndpoint[]> {
    await turn()
    return [...this.#state.endpoints.values()].sort((one, other) => (one.clientId < other.clientId ? -1 : 1))
  }

  async save(endpoint: WebhookEndpoint, previous: WebhookEndpoint | undefined): Promise<boolean> {
    await turn()
    const { endpoints, endpointHealth } = this.#state
    const { clientId, pausedAt } = endpoint
    const stored = endpoints.get(clientId)
    if (!isDeepStrictEqual(stored, previous)) return false
    if (endpoint.url !== undefined) this.#finishUndeliverable(clientId)
    const samePause = pausedAt !== undefined && pausedAt.getTime() === stored?.pausedAt?.getTime()
    if (!samePause) endpointHealth.set(clientId, { failingSince: undefined, pausedAt, probeAt: undefined })
    endpoints.set(clientId, endpoint)
    return true
  }

  async remove({
    clientId,
    registeredBy,
  }: Pick<WebhookEndpoint, 'clientId' | 'registeredBy'>): Promise<void> {
    await turn()
    if (this.#state.endpoints.get(clientId)?.registeredBy !== registeredBy) return
    this.#finishUndeliverable(clientId)
    this.#state.endpoints.delete(clientId)
    this.#state.endpointHealth.delete(clientId)
  }

  #finishUndeliverable(clientId: string): void {
    const { endpoints, serviceEvents } = this.#state
    const endpoint = endpoints.get(clientId)
    if (!endpoint || endpoint.url !== undefined) return
    for (const [index, stored] of serviceEvents.entries()) {
      if (stored.clientId !== clientId || stored.outcome) continue
      serviceEvents[index] = { ...stored, outcome: 'given-up', leasedUntil: undefined }
    }
  }
}
