import { ChallengeNotFound } from '../domain/challenge.ts'
import { StepUp, type StepUpDecision } from '../domain/step-up.ts'
import type { User } from '../domain/user.ts'
import type { Clock } from './ports/clock.ts'
import type { Provenance } from './ports/provenance.ts'
import type { StepUps } from './ports/step-ups.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

/** What was decided. Without a decision there is nothing to store, and the result stands as it is. */
export interface Decided<Result> {
  readonly decision: StepUpDecision | undefined
  readonly result: Result
}

/**
 * Load, decide, save; and again from the start when another decision about the subject came first. A live challenge whose
 * user has moved is cancelled before anything is decided about it.
 *
 * @param decide gets one instant for the whole decision.
 * @throws {ChallengeNotFound} @throws {ConcurrencyConflict} besides what `decide` throws
 * @throws {StorageUnavailable} @throws {DirectoryUnavailable} Each of the two answers a use case with 503.
 */
export function decideAndSave<Result>(
  stepUps: StepUps,
  clock: Clock,
  challengeId: string,
  provenance: Provenance,
  decide: (
    stepUp: StepUp & { readonly user: User | undefined },
    now: Date,
  ) => Decided<Result> | Promise<Decided<Result>>,
): Promise<Result> {
  return retryOnConflict(`challenge ${challengeId}`, async () => {
    const stepUp = await stepUps.load(challengeId)
    if (!stepUp) throw new ChallengeNotFound(challengeId)
    const now = clock.now()

    const cancellation = StepUp.cancelIfMoved(stepUp, stepUp.user, now)
    if (cancellation) {
      await stepUps.save(cancellation, { actor: 'service' })
      // Decide about what is stored now: this cancellation, or the decision that came first.
      return { saved: false }
    }

    const { decision, result } = await decide(stepUp, now)
    return { saved: !decision || (await stepUps.save(decision, provenance)), result }
  })
}
