import { Challenge, ChallengeNotFound } from '../../domain/challenge.ts'
import { decideAndSave } from '../decide-and-save.ts'
import { isParty } from '../party.ts'
import type { Caller } from '../ports/access-tokens.ts'
import type { Clock } from '../ports/clock.ts'
import { actorOf, type Origin } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'

export interface CancelChallengeCommand {
  readonly challengeId: string
  readonly caller: Caller
  readonly origin: Origin
}

/** Ends a live challenge for its client or its subject. To cancel it again changes nothing. */
export class CancelChallenge {
  readonly #stepUps: StepUps
  readonly #clock: Clock

  constructor(stepUps: StepUps, clock: Clock) {
    this.#stepUps = stepUps
    this.#clock = clock
  }

  /**
   * @throws {ChallengeNotFound} also for someone else's challenge, so that ids cannot be probed.
   * @throws {ChallengeOver} if it is consumed, exhausted or expired.
   * @throws what {@link decideAndSave} throws
   */
  async execute({ challengeId, caller, origin }: CancelChallengeCommand): Promise<void> {
    const provenance = { actor: actorOf(caller), ...origin }
    const reason = caller.kind === 'user' ? 'by-subject' : 'by-client'

    await decideAndSave(
      this.#stepUps,
      this.#clock,
      challengeId,
      provenance,
      ({ challenge, standing }, now) => {
        if (!isParty(challenge, caller)) throw new ChallengeNotFound(challengeId)
        if (challenge.status === 'cancelled') return { decision: undefined, result: undefined }

        const [cancelled, event] = Challenge.cancel(challenge, reason, now)
        return { decision: { challenge: cancelled, standing, events: [event] }, result: undefined }
      },
    )
  }
}
