import type { MailFates } from '../../application/ports/mail-outcomes.ts'
import type { Provenance } from '../../application/ports/provenance.ts'
import type { MailFate, MailFateDecision } from '../../domain/mail-outcome.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what became of mails, and measures how long they took to arrive, once it is stored. */
export class MeasuredMailFates implements MailFates {
  readonly #fates: MailFates
  readonly #metrics: Metrics

  constructor(fates: MailFates, metrics: Metrics) {
    this.#fates = fates
    this.#metrics = metrics
  }

  load(issuanceId: string): Promise<MailFate | undefined> {
    return this.#fates.load(issuanceId)
  }

  async save(before: MailFate, decision: MailFateDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#fates.save(before, decision, provenance)
    if (saved) this.#count(before, decision)
    return saved
  }

  #count({ issuance }: MailFate, { events }: MailFateDecision): void {
    countEvents(this.#metrics, events)
    const delivered = events.find(({ type }) => type === 'otp-delivered')
    if (delivered) {
      this.#metrics.timeToDelivery.observe((delivered.at.getTime() - issuance.issuedAt.getTime()) / 1000)
    }
  }
}
