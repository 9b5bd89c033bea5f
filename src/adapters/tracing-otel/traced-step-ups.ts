import type { Provenance } from '../../application/ports/provenance.ts'
import type { StepUps } from '../../application/ports/step-ups.ts'
import type { Challenge, Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User } from '../../domain/user.ts'
import { inDatabase } from './database-span.ts'
import type { Spans } from './spans.ts'

/** A span for each statement of a decision. */
export class TracedStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #spans: Spans

  constructor(stepUps: StepUps, spans: Spans) {
    this.#stepUps = stepUps
    this.#spans = spans
  }

  open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
  ): Promise<{ readonly challenge: Challenge; readonly created: boolean }> {
    const open = () => this.#stepUps.open(challenge, event, idempotency, provenance)
    return this.#spans.within('step-ups.open', inDatabase('step-ups.open'), open)
  }

  load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined> {
    return this.#spans.within('step-ups.load', inDatabase('step-ups.load'), () =>
      this.#stepUps.load(challengeId),
    )
  }

  save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    return this.#spans.within('step-ups.save', inDatabase('step-ups.save'), async (span) => {
      const saved = await this.#stepUps.save(decision, provenance)
      // A lost race is no error: the decision is made again.
      span.setAttribute('countersign.saved', saved)
      return saved
    })
  }
}
