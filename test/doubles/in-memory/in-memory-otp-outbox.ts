import type { OtpDelivery, OtpOutbox } from '../../../src/application/ports/otp-outbox.ts'
import type { ChallengeEvent } from '../../../src/domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../../src/domain/otp-issuance.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryOtpOutbox implements OtpOutbox {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]> {
    await turn()
    const { issuances, challenges, users, traceContexts } = this.#state
    const due = [...issuances.values()]
      .filter(
        (issuance): issuance is QueuedIssuance =>
          issuance.status === 'queued' && issuance.nextAttemptAt <= now,
      )
      .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
      .slice(0, limit)
    return due.map((each) => {
      const issuance = { ...each, deliveryAttempts: each.deliveryAttempts + 1, nextAttemptAt: leaseEnd }
      issuances.set(issuance.id, issuance)
      const challenge = challenges.get(issuance.challengeId)!
      return {
        issuance,
        challenge,
        user: users.get(issuance.subjectUserId),
        traceContext: traceContexts.get(issuance.id),
        forgery: () => {
          const isSetBack = challenge.status === 'pending' && this.#state.hasEndedOnTrail(challenge.id)
          return this.#state.forgeryIn(challenge, issuance) ?? (isSetBack ? 'set-back' : undefined)
        },
      }
    })
  }

  async record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean> {
    await turn()
    const current = this.#state.issuances.get(claimed.id)
    if (current?.deliveryAttempts !== claimed.deliveryAttempts) return false
    const recorded = withOutcome(current, outcome)
    if (!recorded) return false
    this.#state.issuances.set(claimed.id, recorded)
    this.#state.commit({ events: [event], provenance: { actor: 'service' }, issuance: claimed })
    return true
  }
}

/** The issuance with the outcome of sending, next to what the mail system may have reported; undefined if it adds nothing. */
function withOutcome(current: OtpIssuance, outcome: OtpIssuance): OtpIssuance | undefined {
  const { delayedAt } = current
  if (current.status === 'queued') return delayedAt ? { ...outcome, delayedAt } : outcome
  const isReported = current.status === 'delivered' || current.status === 'bounced'
  if (!isReported || current.sentAt || outcome.status !== 'sent') return undefined
  return { ...current, sentAt: outcome.sentAt, messageId: outcome.messageId }
}
