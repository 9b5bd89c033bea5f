import type { Logger } from 'pino'
import type { Provenance } from '../../application/ports/provenance.ts'
import type { StepUps } from '../../application/ports/step-ups.ts'
import type { Challenge, Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User } from '../../domain/user.ts'

/** One line for each decision about a challenge, once it is stored: one that lost its race is none. */
export class LoggedStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #logger: Logger

  constructor(stepUps: StepUps, logger: Logger) {
    this.#stepUps = stepUps
    this.#logger = logger
  }

  async open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
  ): Promise<{ readonly challenge: Challenge; readonly created: boolean }> {
    const opened = await this.#stepUps.open(challenge, event, idempotency, provenance)
    if (opened.created) this.#tell(challenge, [event], provenance)
    return opened
  }

  load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined> {
    return this.#stepUps.load(challengeId)
  }

  async save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    const saved = await this.#stepUps.save(decision, provenance)
    if (saved) this.#tell(decision.challenge, decision.events, provenance)
    return saved
  }

  #tell(
    { id, subjectUserId, status, attemptsRemaining }: Challenge,
    events: readonly ChallengeEvent[],
    { requestId, actor }: Provenance,
  ): void {
    this.#logger.info(
      {
        requestId,
        caller: actor,
        subject: subjectUserId,
        challengeId: id,
        events: events.map((event) => ('reason' in event ? `${event.type} (${event.reason})` : event.type)),
        status,
        attemptsRemaining,
      },
      'decision',
    )
  }
}
