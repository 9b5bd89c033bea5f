import type { Provenance } from '../../application/ports/provenance.ts'
import type { StepUps } from '../../application/ports/step-ups.ts'
import type { Challenge, Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { Operation } from '../../domain/operation.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User } from '../../domain/user.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what was decided, once it is stored: a decision that lost its race is none. */
export class MeasuredStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #metrics: Metrics
  /**
   * When the newest code of a loaded challenge was issued, which the decision that verifies it does not tell. Of all that
   * is loaded, the operation is what no decision replaces.
   */
  readonly #issuedAt = new WeakMap<Operation, Date>()

  constructor(stepUps: StepUps, metrics: Metrics) {
    this.#stepUps = stepUps
    this.#metrics = metrics
  }

  async open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
  ): Promise<{ readonly challenge: Challenge; readonly created: boolean }> {
    const opened = await this.#stepUps.open(challenge, event, idempotency, provenance)
    if (opened.created) countEvents(this.#metrics, [event])
    return opened
  }

  async load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (stepUp?.issuance) this.#issuedAt.set(stepUp.challenge.operation, stepUp.issuance.issuedAt)
    return stepUp
  }

  async save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#stepUps.save(decision, provenance)
    if (saved) this.#count(decision)
    return saved
  }

  #count({ challenge, events }: StepUpDecision): void {
    countEvents(this.#metrics, events)
    const verified = events.find(({ type }) => type === 'challenge-verified')
    const issuedAt = verified && this.#issuedAt.get(challenge.operation)
    if (issuedAt) {
      this.#metrics.timeToVerification.observe((verified.at.getTime() - issuedAt.getTime()) / 1000)
    }
  }
}
