import type { DeliverOtp } from '../../application/codes/deliver-otp.ts'
import type { DeliveryAttempt, DeliveryReport } from '../../application/mail/send-mail.ts'
import type { Metrics } from './metrics.ts'

/**
 * Counts attempts to hand mails over. Around the use case and not around a port, since no port hears of an attempt that
 * comes to nothing between claim and record.
 */
export class MeasuredDeliveries implements Pick<DeliverOtp, 'execute'> {
  readonly #deliverOtp: Pick<DeliverOtp, 'execute'>
  readonly #metrics: Metrics

  constructor(deliverOtp: Pick<DeliverOtp, 'execute'>, metrics: Metrics) {
    this.#deliverOtp = deliverOtp
    this.#metrics = metrics
  }

  async execute(limit: number): Promise<readonly DeliveryAttempt[]> {
    const claimed = await this.#deliverOtp.execute(limit)
    return claimed.map((attempt) => () => this.#counted(attempt))
  }

  async #counted(attempt: DeliveryAttempt): Promise<DeliveryReport> {
    const report = await attempt()
    const { outcome, transport = '' } = report
    this.#metrics.deliveryAttempts.inc({ outcome: outcome === 'queued' ? 'deferred' : outcome, transport })
    return report
  }
}
