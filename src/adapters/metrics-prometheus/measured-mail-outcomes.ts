import type { MailOutcomes } from '../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../application/ports/provenance.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../domain/mail-outcome.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what became of mails, and measures how long they took to arrive, once it is stored. */
export class MeasuredMailOutcomes implements MailOutcomes {
  readonly #mailOutcomes: MailOutcomes
  readonly #metrics: Metrics

  constructor(mailOutcomes: MailOutcomes, metrics: Metrics) {
    this.#mailOutcomes = mailOutcomes
    this.#metrics = metrics
  }

  load(issuanceId: string): Promise<MailOutcome | undefined> {
    return this.#mailOutcomes.load(issuanceId)
  }

  async save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#mailOutcomes.save(before, decision, provenance)
    if (saved) this.#count(before, decision)
    return saved
  }

  #count({ issuance }: MailOutcome, { events }: MailOutcomeDecision): void {
    countEvents(this.#metrics, events)
    const delivered = events.find(({ type }) => type === 'otp-delivered')
    if (delivered) {
      this.#metrics.timeToDelivery.observe((delivered.at.getTime() - issuance.issuedAt.getTime()) / 1000)
    }
  }
}
