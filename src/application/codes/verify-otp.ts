import { SubjectMismatch } from '../../domain/challenge.ts'
import { StepUp, type Verdict } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { decideAndSave } from '../decide-and-save.ts'
import type { Clock } from '../ports/clock.ts'
import type { Identifiers } from '../ports/identifiers.ts'
import type { Origin } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'
import type { Totp } from '../ports/totp.ts'

export interface VerifyOtpCommand {
  readonly challengeId: string
  readonly userId: string
  /** As typed or pasted: spaces and hyphens do not count, leading zeros do. */
  readonly code: string
  readonly origin: Origin
}

/**
 * Checks a code that a user gave against the newest one sent for the challenge; a wrong one spends an attempt. Whom the last
 * one locks is told so by mail, later and from elsewhere.
 */
export class VerifyOtp {
  readonly #stepUps: StepUps
  readonly #totp: Totp
  readonly #identifiers: Identifiers
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  constructor(stepUps: StepUps, totp: Totp, identifiers: Identifiers, clock: Clock, policy: StepUpPolicy) {
    this.#stepUps = stepUps
    this.#totp = totp
    this.#identifiers = identifiers
    this.#clock = clock
    this.#policy = policy
  }

  /**
   * @throws {ChallengeNotFound} @throws {SubjectMismatch} @throws {ChallengeOver} @throws {SubjectLocked}
   * @throws what {@link decideAndSave} throws
   */
  async execute({ challengeId, userId, code, origin }: VerifyOtpCommand): Promise<Verdict> {
    const candidate = code.replaceAll(/[ -]/g, '')

    return decideAndSave(this.#stepUps, challengeId, { actor: `user:${userId}`, ...origin }, (stepUp) => {
      const { challenge, user } = stepUp
      if (challenge.subjectUserId !== userId) throw new SubjectMismatch(challengeId)

      const [decision, result] = StepUp.verifyOtp(
        stepUp,
        (issuance) => this.#totp.matches(candidate, issuance, challenge),
        { id: this.#identifiers.next(), address: user?.email },
        this.#policy,
        this.#clock.now(),
      )
      return { decision, result }
    })
  }
}
