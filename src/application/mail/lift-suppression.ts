import { SubjectStanding } from '../../domain/subject-standing.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin, Provenance } from '../ports/provenance.ts'
import type { Suppressions } from '../ports/suppressions.ts'
import { retryOnConflict } from '../retry-on-conflict.ts'

export interface LiftSuppressionCommand {
  readonly userId: string
  readonly clientId: string
  readonly origin: Origin
}

/** Lets codes go to a user's address again. Where nothing stands against it, or nobody knows the user, nothing changes. */
export class LiftSuppression {
  readonly #suppressions: Suppressions
  readonly #clock: Clock

  constructor(suppressions: Suppressions, clock: Clock) {
    this.#suppressions = suppressions
    this.#clock = clock
  }

  async execute({ userId, clientId, origin }: LiftSuppressionCommand): Promise<void> {
    const provenance = { actor: `client:${clientId}`, ...origin }
    await liftSuppression(this.#suppressions, userId, this.#clock.now(), provenance)
  }
}

/** Also where nothing is suppressed yet: what is older than `at` and comes in later does not count any more. */
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
