import { SubjectMismatch } from '../../domain/challenge.ts'
import { StepUp } from '../../domain/step-up.ts'
import type { StepUpPolicy } from '../../domain/step-up-policy.ts'
import { SubjectStanding } from '../../domain/subject-standing.ts'
import { User, UserUnreachable } from '../../domain/user.ts'
import { decideAndSave } from '../decide-and-save.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeliverySignal } from '../ports/delivery-signal.ts'
import type { Identifiers } from '../ports/identifiers.ts'
import type { Origin } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'
import type { Totp } from '../ports/totp.ts'
import { recordingStrangers } from './record-stranger.ts'

export interface IssueOtpCommand {
  readonly challengeId: string
  readonly userId: string
  readonly origin: Origin
}

/** Issues a code for a challenge to its subject. Resolves when the mail is queued, before it is sent. */
export class IssueOtp {
  readonly #stepUps: StepUps
  readonly #totp: Totp
  readonly #identifiers: Identifiers
  readonly #signal: DeliverySignal
  readonly #clock: Clock
  readonly #policy: StepUpPolicy

  constructor(
    stepUps: StepUps,
    totp: Totp,
    identifiers: Identifiers,
    signal: DeliverySignal,
    clock: Clock,
    policy: StepUpPolicy,
  ) {
    this.#stepUps = stepUps
    this.#totp = totp
    this.#identifiers = identifiers
    this.#signal = signal
    this.#clock = clock
    this.#policy = policy
  }

  /**
   * @throws {ChallengeNotFound} @throws {SubjectMismatch} @throws {UserUnreachable} @throws {ChallengeOver}
   * @throws {SubjectLocked} @throws {IssuanceTooSoon} @throws {IssuancesSpent} @throws {AddressHeld}
   * @throws what {@link decideAndSave} throws
   */
  async execute(command: IssueOtpCommand): Promise<void> {
    const issuanceId = await recordingStrangers(this.#stepUps, this.#clock, command, () =>
      this.#issue(command),
    )
    this.#signal.wake(issuanceId)
  }

  /** Returns the id of the code. */
  #issue({ challengeId, userId, origin }: IssueOtpCommand): Promise<string> {
    return decideAndSave(
      this.#stepUps,
      this.#clock,
      challengeId,
      { actor: `user:${userId}`, ...origin },
      ({ user, ...stepUp }, now) => {
        if (stepUp.challenge.subjectUserId !== userId) throw new SubjectMismatch(challengeId)
        if (!user || SubjectStanding.isSuppressed(stepUp.standing, user.email)) throw new UserUnreachable()
        User.assertNotHeld(user, this.#policy, now)

        const demand = {
          id: this.#identifiers.next(userId),
          keyId: this.#totp.activeKeyId(),
          recipient: user.email,
        }
        const decision = StepUp.issueOtp(stepUp, demand, this.#policy, now)
        return { decision, result: demand.id }
      },
    )
  }
}
