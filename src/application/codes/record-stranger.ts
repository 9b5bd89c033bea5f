import { SubjectMismatch } from '../../domain/challenge.ts'
import type { Clock } from '../ports/clock.ts'
import type { Origin } from '../ports/provenance.ts'
import type { StepUps } from '../ports/step-ups.ts'

/** A user who tries a challenge. */
interface Attempt {
  readonly challengeId: string
  readonly userId: string
  readonly origin: Origin
}

/**
 * Runs `attempt`, and records a user who is not the subject of the challenge before it throws. The record changes no state of the
 * challenge, and waits for no lock of its subject.
 *
 * @throws what `attempt` throws
 */
export async function recordingStrangers<Result>(
  stepUps: StepUps,
  clock: Clock,
  { challengeId, userId, origin }: Attempt,
  attempt: () => Promise<Result>,
): Promise<Result> {
  try {
    return await attempt()
  } catch (error) {
    if (error instanceof SubjectMismatch) {
      const event = { type: 'stranger-refused', challengeId, subjectUserId: userId, at: clock.now() } as const
      await stepUps.recordStranger(event, { actor: `user:${userId}`, ...origin })
    }
    throw error
  }
}
