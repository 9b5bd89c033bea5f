import type { Idempotency, PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUpDecision } from '../../domain/step-up.ts'
import type { Provenance } from '../ports/provenance.ts'
import type { LoadedStepUp, StepUps } from '../ports/step-ups.ts'
import type { UserDirectory } from '../ports/user-directory.ts'

/**
 * Step-ups whose users another system keeps. That system does not announce a changed e-mail address, so each load asks it for
 * the current one. The decision that follows compares the two (`StepUp.cancelIfUnsound`).
 */
export class AddressCheckedStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #directory: UserDirectory

  constructor(stepUps: StepUps, directory: UserDirectory) {
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
    const user = await this.#directory.find(stepUp.challenge.subjectUserId)
    return { ...stepUp, user, externalUser: user }
  }

  save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    return this.#stepUps.save(decision, provenance)
  }
}
