import type { Brand } from '../../domain/brand.ts'
import { Challenge, ChallengeNotFound, type ChallengeStatus } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import { StepUp } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { SubjectStanding } from '../../domain/subject-standing.ts'
import { whereaboutsOf } from '../decide-and-save.ts'
import { isParty } from '../party.ts'
import type { Caller } from '../ports/access-tokens.ts'
import type { Clock } from '../ports/clock.ts'
import type { StepUps } from '../ports/step-ups.ts'

export interface InspectedChallenge {
  readonly challenge: Challenge
  readonly status: ChallengeStatus
  /** The newest issuance. */
  readonly issuance: OtpIssuance | undefined
  /** When the next code may be requested; undefined if this challenge, or this address, gets no further code. */
  readonly resendAvailableAt: Date | undefined
  /** How many digits a code has. */
  readonly codeDigits: number
  /** The brand of the client; undefined if it has none of its own. */
  readonly brand: Brand | undefined
}

/**
 * Shows the two parties of a challenge, its client and its subject, how it stands. Changes nothing: a challenge that the next
 * decision will cancel, because its user has moved or is gone, is shown as cancelled and stored as it was.
 */
export class InspectChallenge {
  readonly #stepUps: StepUps
  readonly #clock: Clock
  readonly #policy: StepUpPolicy
  readonly #brands: ReadonlyMap<string, Brand>

  /** @param brands by client id. */
  constructor(
    stepUps: StepUps,
    clock: Clock,
    policy: StepUpPolicy,
    brands: ReadonlyMap<string, Brand> = new Map(),
  ) {
    this.#stepUps = stepUps
    this.#clock = clock
    this.#policy = policy
    this.#brands = brands
  }

  /**
   * @throws {ChallengeNotFound} also for someone else's challenge, so that ids cannot be probed.
   * @throws {StorageUnavailable} @throws {DirectoryUnavailable} as {@link StepUps.load} does
   */
  async execute(challengeId: string, caller: Caller): Promise<InspectedChallenge> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (!stepUp || !isParty(stepUp.challenge, caller)) throw new ChallengeNotFound(challengeId)

    const { issuance, standing, user } = stepUp
    const now = this.#clock.now()
    // The next decision stores the cancellation; a read shows it already.
    const challenge =
      StepUp.cancelIfUnsound(stepUp, whereaboutsOf(stepUp), now)?.challenge ?? stepUp.challenge
    const reachable = !user || !SubjectStanding.isSuppressed(standing, user.email)
    return {
      challenge,
      status: Challenge.statusAt(challenge, now),
      issuance,
      resendAvailableAt: reachable
        ? StepUp.nextIssuanceAt({ ...stepUp, challenge }, this.#policy, now, user)
        : undefined,
      codeDigits: this.#policy.codeDigits,
      brand: this.#brands.get(challenge.clientId),
    }
  }
}
