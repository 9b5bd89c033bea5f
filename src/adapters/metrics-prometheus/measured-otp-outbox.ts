import type { OtpDelivery, OtpOutbox } from '../../application/ports/otp-outbox.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import type { Metrics } from './metrics.ts'

/** Measures how long mails waited that were handed over, and why others never will be, once that is recorded. */
export class MeasuredOtpOutbox implements OtpOutbox {
  readonly #outbox: OtpOutbox
  readonly #metrics: Metrics

  constructor(outbox: OtpOutbox, metrics: Metrics) {
    this.#outbox = outbox
    this.#metrics = metrics
  }

  claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    return this.#outbox.claim(limit, now, leaseEnd)
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean> {
    const recorded = await this.#outbox.record(claimed, outcome, event)
    if (recorded) this.#measure(outcome)
    return recorded
  }

  #measure(outcome: OtpIssuance): void {
    if (outcome.status === 'sent') {
      const waitedInMs = outcome.sentAt.getTime() - outcome.issuedAt.getTime()
      this.#metrics.timeToHandover.observe(waitedInMs / 1000)
    }
    if (outcome.status === 'failed') this.#metrics.deliveryFailures.inc({ reason: outcome.reason })
  }
}
