import { SubjectMismatch } from '../../domain/challenge.ts'
import { StepUp, type Verdict } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { decideAndSave } from '../decide-and-save.ts'
import type { Clock } from '../ports/clock.ts'
import type { Identifiers } from '../ports/identifiers.ts'
import type { Origin } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'
import type { Totp } from '../ports/totp.ts'
import { recordingStrangers } from './record-stranger.ts'
import { codeTyped } from './typed-code.ts'

export interface VerifyOtpCommand {
  readonly challengeId: string
  readonly userId: string
  /** As the user typed or pasted it: {@link codeTyped} says what it stands for. Leading zeros count. */
  readonly code: string
  readonly origin: Origin
}

/**
 * Checks a code that the user entered against the newest one issued for the challenge. A wrong code spends an attempt. If the
 * last wrong code locks the subject, a warning mail is queued.
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
  async execute(command: VerifyOtpCommand): Promise<Verdict> {
    return recordingStrangers(this.#stepUps, this.#clock, command, () => this.#verify(command))
  }

  #verify({ challengeId, userId, code, origin }: VerifyOtpCommand): Promise<Verdict> {
    const candidate = codeTyped(code)
    const provenance = { actor: `user:${userId}`, ...origin }

    return decideAndSave(this.#stepUps, this.#clock, challengeId, provenance, (stepUp, now) => {
      const { challenge, user } = stepUp
      if (challenge.subjectUserId !== userId) throw new SubjectMismatch(challengeId)

      const [decision, result] = StepUp.verifyOtp(
        stepUp,
        (issuance) => this.#totp.matches(candidate, issuance, challenge),
        { id: this.#identifiers.next(userId), address: user?.email },
        this.#policy,
        now,
      )
      return { decision, result }
    })
  }
}
