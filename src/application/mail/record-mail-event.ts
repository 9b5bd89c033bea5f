import { earlier } from '../../domain/instant.ts'
import { MailFate, type MailNews } from '../../domain/mail-outcome.ts'
import type { Clock } from '../ports/clock.ts'
import type { MailFates } from '../ports/mail-outcomes.ts'
import { MAIL_SYSTEM, type Origin, type Provenance } from '../ports/provenance.ts'
import { untilSaved } from '../retry-on-conflict.ts'

export interface HearMailNewsCommand {
  /** A canonical UUID; it need not be one of ours. */
  readonly issuanceId: string
  readonly news: MailNews
  /** Undefined if no request told it. */
  readonly origin: Origin | undefined
}

/** `known`: told before, or outweighed by what is known. `unknown`: about no issuance that there is. */
export type Reception = 'stored' | 'known' | 'unknown'

/** Takes down what the mail system says became of a mail, in any order and any number of times. */
export class HearMailNews {
  readonly #fates: MailFates
  readonly #clock: Clock

  constructor(fates: MailFates, clock: Clock) {
    this.#fates = fates
    this.#clock = clock
  }

  async execute({ issuanceId, news, origin }: HearMailNewsCommand): Promise<Reception> {
    // What another clock puts into the future would stand above all that comes until then.
    const at = earlier(news.at, this.#clock.now())
    return hearMailNews(this.#fates, issuanceId, { ...news, at }, { actor: MAIL_SYSTEM, ...origin })
  }
}

export function hearMailNews(
  fates: MailFates,
  issuanceId: string,
  news: MailNews,
  provenance: Provenance,
): Promise<Reception> {
  return untilSaved(`the mail of issuance ${issuanceId}`, async () => {
    const fate = await fates.load(issuanceId)
    if (!fate) return { saved: true, result: 'unknown' }

    const decision = MailFate.hear(fate, news)
    if (!decision) return { saved: true, result: 'known' }
    return { saved: await fates.save(fate, decision, provenance), result: 'stored' }
  })
}
