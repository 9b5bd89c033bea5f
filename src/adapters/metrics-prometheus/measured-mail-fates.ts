import type { MailFates } from '../../application/ports/mail-fates.ts'
import type { Provenance } from '../../application/ports/provenance.ts'
import type { MailFate, MailFateDecision } from '../../domain/mail-fate.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what became of mails, once it is stored. */
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
    if (saved) countEvents(this.#metrics, decision.events)
    return saved
  }
}
