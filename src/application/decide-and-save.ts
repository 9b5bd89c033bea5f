import { ChallengeNotFound } from '../domain/challenge.ts'
import { StepUp, type StepUpDecision } from '../domain/step-up.ts'
import { User, type Whereabouts } from '../domain/user.ts'
import type { Clock } from './ports/clock.ts'
import type { Provenance } from './ports/provenance.ts'
import type { LoadedStepUp, StepUps } from './ports/step-ups.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

/** What was decided. Without a decision nothing is stored, and the result is returned as it is. */
export interface Decided<Result> {
  readonly decision: StepUpDecision | undefined
  readonly result: Result
}

/**
 * Loads, decides and saves. Starts again when another decision about the subject was stored first. Cancels a live challenge
 * whose rows are forged, or whose user has moved or is gone, before it decides anything else about it.
 *
 * Also throws what `decide` throws. After the last three errors the caller may repeat the call, and the edge answers 503.
 *
 * @param decide gets one instant for the whole decision.
 * @throws {ChallengeNotFound}
 * @throws {ConcurrencyConflict} if other decisions about the subject came first too often. This one was not stored.
 * @throws {StorageUnavailable} if the store cannot be reached in time. The decision may have been stored.
 * @throws {DirectoryUnavailable} if a directory elsewhere does not answer in time. This decision was not stored.
 */
export function decideAndSave<Result>(
  stepUps: StepUps,
  clock: Clock,
  challengeId: string,
  provenance: Provenance,
  decide: (stepUp: LoadedStepUp, now: Date) => Decided<Result> | Promise<Decided<Result>>,
): Promise<Result> {
  return retryOnConflict(`challenge ${challengeId}`, async () => {
    const stepUp = await stepUps.load(challengeId)
    if (!stepUp) throw new ChallengeNotFound(challengeId)
    const now = clock.now()

    const cancellation = StepUp.cancelIfUnsound(stepUp, whereaboutsOf(stepUp), now)
    if (cancellation) {
      await stepUps.save(cancellation, { actor: 'service' })
      // Decide about what is stored now: this cancellation, or the decision that came first.
      return { saved: false }
    }

    const { decision, result } = await decide(stepUp, now)
    return { saved: !decision || (await stepUps.save(decision, provenance)), result }
  })
}

/** What the directory of the subject says: one in another system, or our own. */
export function whereaboutsOf({ elsewhere, user }: LoadedStepUp): Whereabouts {
  return elsewhere ?? User.whereabouts(user)
}
