import type { Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUpDecision } from '../../domain/step-up.ts'
import type { Provenance } from '../ports/provenance.ts'
import type { LoadedStepUp, StepUps, StrangerEvent } from '../ports/step-ups.ts'
import type { ExternalUserDirectory } from '../ports/user-directory.ts'

/**
 * Step-ups whose users another system keeps. That system does not announce that a user has another e-mail address or is gone, so
 * each load asks it. The decision that follows ends the challenge then (`StepUp.cancelIfUnsound`). Without an answer there is no
 * decision: a user who may have left must not confirm anything.
 */
export class AddressCheckedStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #directory: Pick<ExternalUserDirectory, 'locate'>

  constructor(stepUps: StepUps, directory: Pick<ExternalUserDirectory, 'locate'>) {
    this.#stepUps = stepUps
    this.#directory = directory
  }

  open(
    challenge: PendingChallenge,
    event: ChallengeEvent,
    idempotency: Idempotency,
    provenance: Provenance,
    mostLive?: number,
  ) {
    return this.#stepUps.open(challenge, event, idempotency, provenance, mostLive)
  }

  /** @throws {DirectoryUnavailable} */
  async load(challengeId: string): Promise<LoadedStepUp | undefined> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (!stepUp) return undefined
    const elsewhere = await this.#directory.locate(stepUp.challenge.subjectUserId)
    return { ...stepUp, user: elsewhere.user, elsewhere }
  }

  save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    return this.#stepUps.save(decision, provenance)
  }

  recordStranger(event: StrangerEvent, provenance: Provenance): Promise<void> {
    return this.#stepUps.recordStranger(event, provenance)
  }
}
