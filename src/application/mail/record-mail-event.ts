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
  /** Undefined if no request brought the event. */
  readonly origin: Origin | undefined
}

/** `known`: recorded before, or outweighed by what is recorded. `unknown`: there is no such issuance. */
export type Recorded = 'stored' | 'known' | 'unknown'

/** Records what the mail system reports about a mail. Reports may come in any order and any number of times. */
export class RecordMailEvent {
  readonly #mailOutcomes: MailOutcomes
  readonly #clock: Clock

  constructor(mailOutcomes: MailOutcomes, clock: Clock) {
    this.#mailOutcomes = mailOutcomes
    this.#clock = clock
  }

  async execute({ issuanceId, event, origin }: RecordMailEventCommand): Promise<Recorded> {
    // A report dated in the future would outrank every later report until that time, so cap it at now.
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
