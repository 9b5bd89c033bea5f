import { Challenge, ChallengeNotFound, type ChallengeStatus } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import { StepUp } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { SubjectStanding } from '../../domain/subject-standing.ts'
import { isParty } from '../party.ts'
import type { Caller } from '../ports/access-tokens.ts'
import type { Clock } from '../ports/clock.ts'
import type { StepUps } from '../ports/step-ups.ts'

export interface InspectedChallenge {
  readonly challenge: Challenge
  readonly status: ChallengeStatus
  /** The newest issuance. */
  readonly issuance: OtpIssuance | undefined
  /** When the next code may be asked for; undefined if never again for this challenge, or not at this address. */
  readonly resendAvailableAt: Date | undefined
  /** How many digits a code has. */
  readonly codeDigits: number
}

/** Tells the two parties of a challenge, its client and its subject, how it stands. Changes nothing. */
export class InspectChallenge {
  readonly #stepUps: StepUps
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  constructor(stepUps: StepUps, clock: Clock, policy: StepUpPolicy) {
    this.#stepUps = stepUps
    this.#clock = clock
    this.#policy = policy
  }

  /** @throws {ChallengeNotFound} also for a challenge of others, so that ids cannot be probed. */
  async execute(challengeId: string, caller: Caller): Promise<InspectedChallenge> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (!stepUp || !isParty(stepUp.challenge, caller)) throw new ChallengeNotFound(challengeId)

    const { challenge, issuance, standing, user } = stepUp
    const now = this.#clock.now()
    const reachable = !user || !SubjectStanding.isSuppressed(standing, user.email)
    return {
      challenge,
      status: Challenge.statusAt(challenge, now),
      issuance,
      resendAvailableAt: reachable ? StepUp.nextIssuanceAt(stepUp, this.#policy, now) : undefined,
      codeDigits: this.#policy.codeDigits,
    }
  }
}
