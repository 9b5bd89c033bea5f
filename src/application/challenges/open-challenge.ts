import { Challenge, type Idempotency, IdempotencyKeyReused } from '../../domain/challenge.ts'
import type { Operation } from '../../domain/operation.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { decideAndSave } from '../decide-and-save.ts'
import type { ChallengeSigner } from '../ports/challenge-signer.ts'
import type { Clock } from '../ports/clock.ts'
import type { Identifiers } from '../ports/identifiers.ts'
import type { Origin, Provenance } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'

export interface OpenChallengeCommand {
  readonly clientId: string
  readonly subjectUserId: string
  readonly operation: Operation
  readonly lifetimeInSeconds?: number | undefined
  readonly idempotency: Idempotency
  readonly origin: Origin
}

export interface OpenedChallenge {
  readonly challenge: Challenge
  readonly signature: string
  /** False if an earlier call with the idempotency key opened it. */
  readonly created: boolean
}

/** Opens a challenge for an operation service. Does not check that the subject can be reached; issuing a code does. */
export class OpenChallenge {
  readonly #stepUps: StepUps
  readonly #signer: ChallengeSigner
  readonly #identifiers: Identifiers
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  constructor(
    stepUps: StepUps,
    signer: ChallengeSigner,
    identifiers: Identifiers,
    clock: Clock,
    policy: StepUpPolicy,
  ) {
    this.#stepUps = stepUps
    this.#signer = signer
    this.#identifiers = identifiers
    this.#clock = clock
    this.#policy = policy
  }

  /**
   * @throws {IdempotencyKeyReused} also if somebody else rewrote what the key opened: that is not what its call demanded.
   * @throws {OperationMalformed} @throws {LiveChallengesSpent} @throws {StorageUnavailable}
   */
  async execute({ idempotency, origin, ...demand }: OpenChallengeCommand): Promise<OpenedChallenge> {
    const [opened, event] = Challenge.open(
      { ...demand, id: this.#identifiers.next(demand.subjectUserId) },
      this.#policy,
      this.#clock.now(),
    )
    const provenance = { actor: `client:${demand.clientId}`, ...origin }

    const { challenge, created, forgery } = await this.#stepUps.open(
      opened,
      event,
      idempotency,
      provenance,
      this.#policy.subjectMaxLiveChallenges,
    )
    if (forgery) {
      await this.#cancelIfLive(challenge.id, provenance)
      throw new IdempotencyKeyReused()
    }
    return { challenge, created, signature: await this.#signer.sign(challenge) }
  }

  #cancelIfLive(challengeId: string, provenance: Provenance): Promise<void> {
    const nothingElse = () => ({ decision: undefined, result: undefined })
    return decideAndSave(this.#stepUps, this.#clock, challengeId, provenance, nothingElse)
  }
}
