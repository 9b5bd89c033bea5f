import { Challenge, ChallengeNotFound, type ChallengeStatus } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import { StepUp } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { SubjectStanding } from '../../domain/subject-standing.ts'
import type { AuditTrail, RecordedEvent } from '../ports/audit-trail.ts'
import type { Clock } from '../ports/clock.ts'
import type { StepUps } from '../ports/step-ups.ts'

export interface ReviewedChallenge {
  readonly challenge: Challenge
  readonly status: ChallengeStatus
  /** The newest issuance. */
  readonly issuance: OtpIssuance | undefined
  /** When the next code may be requested; undefined if this challenge, or this address, gets no further code. */
  readonly resendAvailableAt: Date | undefined
  readonly subject: {
    /** How many wrong codes are left before a lock; 0 while a lock lasts. */
    readonly attemptsRemaining: number
    readonly lockedUntil: Date | undefined
    /** Whether mails to the address of the newest issuance are withheld. */
    readonly suppressed: boolean
  }
  /** Oldest first. */
  readonly events: readonly RecordedEvent[]
}

/** Shows an operator the state and the history of any challenge. Changes nothing. */
export class ReviewChallenge {
  readonly #stepUps: Pick<StepUps, 'load'>
  readonly #trail: AuditTrail
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  constructor(stepUps: Pick<StepUps, 'load'>, trail: AuditTrail, clock: Clock, policy: StepUpPolicy) {
    this.#stepUps = stepUps
    this.#trail = trail
    this.#clock = clock
    this.#policy = policy
  }

  /** @throws {ChallengeNotFound} @throws {StorageUnavailable} */
  async execute(challengeId: string): Promise<ReviewedChallenge> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (!stepUp) throw new ChallengeNotFound(challengeId)

    const { challenge, issuance, standing } = stepUp
    const now = this.#clock.now()
    const suppressed = issuance !== undefined && SubjectStanding.isSuppressed(standing, issuance.recipient)
    return {
      challenge,
      status: Challenge.statusAt(challenge, now),
      issuance,
      resendAvailableAt: suppressed ? undefined : StepUp.nextIssuanceAt(stepUp, this.#policy, now),
      subject: {
        attemptsRemaining: SubjectStanding.attemptsRemaining(standing, this.#policy, now),
        lockedUntil: SubjectStanding.isLocked(standing, now) ? standing.lockedUntil : undefined,
        suppressed,
      },
      events: await this.#trail.eventsOf(challengeId),
    }
  }
}
