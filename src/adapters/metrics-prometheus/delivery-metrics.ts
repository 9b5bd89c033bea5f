import type { DeliveryReport } from '../../application/mail/send-mail.ts'
import type { Metrics } from './metrics.ts'

/** Counts attempts to send a mail. It includes attempts whose outcome the outbox did not store. */
export class DeliveryMetrics {
  readonly #metrics: Metrics

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  attempted({ outcome, transport = '' }: DeliveryReport): void {
    this.#metrics.deliveryAttempts.inc({ outcome: outcome === 'queued' ? 'deferred' : outcome, transport })
  }
}
