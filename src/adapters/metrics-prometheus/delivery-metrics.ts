import type { DeliveryReport } from '../../application/mail/send-mail.ts'
import type { Metrics } from './metrics.ts'

/** Counts attempts to hand mails over, those among them that came to nothing between claim and record. */
export class DeliveryMetrics {
  readonly #metrics: Metrics

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  attempted({ outcome, transport = '' }: DeliveryReport): void {
    this.#metrics.deliveryAttempts.inc({ outcome: outcome === 'queued' ? 'deferred' : outcome, transport })
  }
}
