import { ChallengeNotFound } from '../domain/challenge.ts'
import type { StepUp, StepUpDecision } from '../domain/step-up.ts'
import type { User } from '../domain/user.ts'
import type { Provenance } from './ports/provenance.ts'
import type { StepUps } from './ports/step-ups.ts'

/** A lost race means that another decision about the subject was stored, and budgets end those long before this. */
const MAX_LOST_RACES = 25

/** What was decided. Without a decision there is nothing to store, and the result stands as it is. */
export interface Settlement<Result> {
  readonly decision: StepUpDecision | undefined
  readonly result: Result
}

/**
 * Load, decide, save; and again from the start when another decision about the subject came first.
 *
 * @throws {ChallengeNotFound} @throws {Contention} besides what `decide` throws
 */
export async function settle<Result>(
  stepUps: StepUps,
  challengeId: string,
  provenance: Provenance,
  decide: (
    stepUp: StepUp & { readonly user: User | undefined },
  ) => Settlement<Result> | Promise<Settlement<Result>>,
): Promise<Result> {
  for (let lostRaces = 0; lostRaces < MAX_LOST_RACES; lostRaces++) {
    const stepUp = await stepUps.load(challengeId)
    if (!stepUp) throw new ChallengeNotFound(challengeId)

    const { decision, result } = await decide(stepUp)
    if (!decision || (await stepUps.save(decision, provenance))) return result
  }
  throw new Contention(challengeId)
}

/** Too many decisions about one subject at once. Nothing was stored; the call may be repeated. */
export class Contention extends Error {
  constructor(challengeId: string) {
    super(`Gave up on challenge ${challengeId} after losing ${MAX_LOST_RACES} races`)
  }
}
