import { WebhookNotFound, WebhookRegistration } from '../../domain/webhook-registration.ts'
import type { Clock } from '../ports/clock.ts'
import type { WebhookEndpoints } from '../ports/webhook-endpoints.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export interface PauseWebhookCommand {
  readonly clientId: string
  /** False to resume it. */
  readonly paused: boolean
}

/** Stops the deliveries to an endpoint until somebody resumes them, or resumes them. Its events are stored all the same. */
export class PauseWebhook {
  readonly #endpoints: WebhookEndpoints
  readonly #clock: Clock

  constructor(endpoints: WebhookEndpoints, clock: Clock) {
    this.#endpoints = endpoints
    this.#clock = clock
  }

  /** @returns whether that changed anything. @throws {WebhookNotFound} @throws {StorageUnavailable} */
  execute({ clientId, paused }: PauseWebhookCommand): Promise<boolean> {
    return retryOnConflict('an endpoint', async () => {
      const current = await this.#endpoints.find(clientId)
      if (!current) throw new WebhookNotFound()
      const next = WebhookRegistration.pause(current, paused ? this.#clock.now() : undefined)
      if (next === current) return { saved: true, result: false }
      return { saved: await this.#endpoints.save(next, current), result: true }
    })
  }
}
