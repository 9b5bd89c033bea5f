import { SubjectStanding } from '../../domain/subject-standing.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin, Provenance } from '../ports/provenance.ts'
import type { Suppressions } from '../ports/suppressions.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export interface LiftSuppressionCommand {
  readonly userId: string
  /** `client:<id>`, or `agent:<id>` for a person of the support. */
  readonly actor: string
  readonly origin: Origin
}

/** Lifts the suppression of a user's address, so that it gets codes again. Changes nothing if there is no suppression. */
export class LiftSuppression {
  readonly #suppressions: Suppressions
  readonly #clock: Clock

  constructor(suppressions: Suppressions, clock: Clock) {
    this.#suppressions = suppressions
    this.#clock = clock
  }

  async execute({ userId, actor, origin }: LiftSuppressionCommand): Promise<void> {
    await liftSuppression(this.#suppressions, userId, this.#clock.now(), { actor, ...origin })
  }
}

/** Records the lift even if nothing is suppressed: a report from before `at` that arrives later does not count. */
export function liftSuppression(
  suppressions: Suppressions,
  subjectUserId: string,
  at: Date,
  provenance: Provenance,
): Promise<void> {
  return retryOnConflict('a suppression', async () => {
    const standing = await suppressions.findBySubject(subjectUserId)
    const lifted = standing && SubjectStanding.lift(standing, at)
    if (!lifted || lifted === standing) return { saved: true, result: undefined }

    const events = standing.suppression?.address
      ? [{ type: 'suppression-lifted' as const, subjectUserId, at }]
      : []
    return { saved: await suppressions.save(lifted, events, provenance), result: undefined }
  })
}
