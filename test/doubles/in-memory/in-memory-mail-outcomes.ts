import type { MailOutcomes } from '../../../src/application/ports/mail-outcomes.ts'
import type { Provenance } from '../../../src/application/ports/provenance.ts'
import type { MailOutcome, MailOutcomeDecision } from '../../../src/domain/mail-outcome.ts'
import type { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'
import { storeSuppression } from './in-memory-suppressions.ts'

export class InMemoryMailOutcomes implements MailOutcomes {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async load(issuanceId: string): Promise<MailOutcome | undefined> {
    await turn()
    const issuance = this.#state.issuances.get(issuanceId)
    return issuance && { issuance, standing: this.#state.standings.get(issuance.subjectUserId)! }
  }

  async save(
    before: MailOutcome,
    { issuance, standing, events }: MailOutcomeDecision,
    provenance: Provenance,
  ): Promise<boolean> {
    await turn()
    const current = this.#state.issuances.get(before.issuance.id)
    if (!current || (issuance && !isStillAs(before.issuance, current))) return false
    if (standing && !storeSuppression(this.#state, standing)) return false
    if (issuance) this.#state.issuances.set(issuance.id, withSending(issuance, current))
    this.#state.commit({ events, provenance, issuance: before.issuance })
    return true
  }
}

/** The issuance with the report, next to what the deliverer may have written since. */
function withSending(issuance: OtpIssuance, { deliveryAttempts, ...current }: OtpIssuance): OtpIssuance {
  if (issuance.delayedAt && issuance.delayedAt !== current.delayedAt) {
    return { ...current, deliveryAttempts, delayedAt: issuance.delayedAt } as OtpIssuance
  }
  return 'sentAt' in current && 'sentAt' in issuance
    ? ({ ...issuance, deliveryAttempts, sentAt: current.sentAt, messageId: current.messageId } as OtpIssuance)
    : { ...issuance, deliveryAttempts }
}

function isStillAs(before: OtpIssuance, current: OtpIssuance): boolean {
  const known = (issuance: OtpIssuance) => [
    issuance.delayedAt?.getTime(),
    'deliveredAt' in issuance && issuance.deliveredAt?.getTime(),
    issuance.status === 'bounced' && [issuance.bouncedAt.getTime(), issuance.kind],
  ]
  return JSON.stringify(known(before)) === JSON.stringify(known(current))
}
