import { ChallengeNotFound } from '../domain/challenge.ts'
import type { StepUp, StepUpDecision } from '../domain/step-up.ts'
import type { User } from '../domain/user.ts'
import type { Provenance } from './ports/provenance.ts'
import type { StepUps } from './ports/step-ups.ts'
import { retryOnConflict } from './retry-on-conflict.ts'

/** What was decided. Without a decision there is nothing to store, and the result stands as it is. */
export interface Decided<Result> {
  readonly decision: StepUpDecision | undefined
  readonly result: Result
}

/**
 * Load, decide, save; and again from the start when another decision about the subject came first.
 *
 * Besides what `decide` throws. After the last three the caller may repeat the call, and the edge answers 503.
 *
 * @throws {ChallengeNotFound}
 * @throws {ConcurrencyConflict} if other decisions about the subject came first too often. Nothing was stored.
 * @throws {StorageUnavailable} if the store cannot be reached in time. The decision may have been stored.
 * @throws {DirectoryUnavailable} if a directory elsewhere does not answer in time. Nothing was stored.
 */
export function decideAndSave<Result>(
  stepUps: StepUps,
  challengeId: string,
  provenance: Provenance,
  decide: (
    stepUp: StepUp & { readonly user: User | undefined },
  ) => Decided<Result> | Promise<Decided<Result>>,
): Promise<Result> {
  return retryOnConflict(`challenge ${challengeId}`, async () => {
    const stepUp = await stepUps.load(challengeId)
    if (!stepUp) throw new ChallengeNotFound(challengeId)

    const { decision, result } = await decide(stepUp)
    return { saved: !decision || (await stepUps.save(decision, provenance)), result }
  })
}
