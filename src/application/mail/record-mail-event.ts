import { earlier } from '../../domain/instant.ts'
import { type MailEvent, MailOutcome } from '../../domain/mail-outcome.ts'
import type { Clock } from '../ports/clock.ts'
import type { MailOutcomes } from '../ports/mail-outcomes.ts'
import { MAIL_SYSTEM, type Origin, type Provenance } from '../ports/provenance.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export interface RecordMailEventCommand {
  /** A canonical UUID; it need not be one of ours. */
  readonly issuanceId: string
  readonly event: MailEvent
  /** Undefined if no request told it. */
  readonly origin: Origin | undefined
}

/** `known`: told before, or outweighed by what is known. `unknown`: about no issuance that there is. */
export type Recorded = 'stored' | 'known' | 'unknown'

/** Takes down what the mail system says became of a mail, in any order and any number of times. */
export class RecordMailEvent {
  readonly #mailOutcomes: MailOutcomes
  readonly #clock: Clock

  constructor(mailOutcomes: MailOutcomes, clock: Clock) {
    this.#mailOutcomes = mailOutcomes
    this.#clock = clock
  }

  async execute({ issuanceId, event, origin }: RecordMailEventCommand): Promise<Recorded> {
    // What another clock puts into the future would stand above all that comes until then.
    const at = earlier(event.at, this.#clock.now())
    return recordMailEvent(
      this.#mailOutcomes,
      issuanceId,
      { ...event, at },
      { actor: MAIL_SYSTEM, ...origin },
    )
  }
}

export function recordMailEvent(
  mailOutcomes: MailOutcomes,
  issuanceId: string,
  event: MailEvent,
  provenance: Provenance,
): Promise<Recorded> {
  return retryOnConflict(`the mail of issuance ${issuanceId}`, async () => {
    const before = await mailOutcomes.load(issuanceId)
    if (!before) return { saved: true, result: 'unknown' }

    const decision = MailOutcome.record(before, event)
    if (!decision) return { saved: true, result: 'known' }
    return { saved: await mailOutcomes.save(before, decision, provenance), result: 'stored' }
  })
}
