import { Challenge, type Idempotency, type PendingChallenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { StepUp, StepUpDecision } from '../../domain/step-up.ts'
import type { User } from '../../domain/user.ts'
import type { Clock } from '../ports/clock.ts'
import type { Provenance } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'
import type { UserDirectory } from '../ports/user-directory.ts'

/**
 * Step-ups of users whom another system keeps. That system does not tell of a changed e-mail address, so each load
 * looks: a live challenge whose code went to an address that is no longer the user's is cancelled on the spot.
 */
export class AddressCheckedStepUps implements StepUps {
  readonly #stepUps: StepUps
  readonly #directory: UserDirectory
  readonly #clock: Clock

  constructor(stepUps: StepUps, directory: UserDirectory, clock: Clock) {
    this.#stepUps = stepUps
    this.#directory = directory
    this.#clock = clock
  }

  open(challenge: PendingChallenge, event: ChallengeEvent, idempotency: Idempotency, provenance: Provenance) {
    return this.#stepUps.open(challenge, event, idempotency, provenance)
  }

  /** @throws {DirectoryUnavailable} */
  async load(challengeId: string): Promise<(StepUp & { readonly user: User | undefined }) | undefined> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (!stepUp) return undefined

    const user = await this.#directory.find(stepUp.challenge.subjectUserId)
    const now = this.#clock.now()
    if (!hasMoved(stepUp, user, now)) return { ...stepUp, user }

    const [challenge, event] = Challenge.cancel(stepUp.challenge, 'email-address-changed', now)
    await this.#stepUps.save({ challenge, standing: stepUp.standing, events: [event] }, { actor: 'service' })
    // Cancelled now, or decided about by somebody else meanwhile.
    return this.load(challengeId)
  }

  save(decision: StepUpDecision, provenance: Provenance): Promise<boolean> {
    return this.#stepUps.save(decision, provenance)
  }
}

function hasMoved({ challenge, issuance }: StepUp, user: User | undefined, now: Date): boolean {
  if (!issuance || !user || !Challenge.isLive(challenge, now)) return false
  return user.email !== issuance.recipient
}
