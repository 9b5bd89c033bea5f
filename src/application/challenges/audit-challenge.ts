import { ChallengeNotFound } from '../../domain/challenge.ts'
import type { AuditTrail, RecordedEvent } from '../ports/audit-trail.ts'
import type { StepUps } from '../ports/step-ups.ts'

/** Gives the client of a challenge everything that is recorded about it. */
export class AuditChallenge {
  readonly #stepUps: StepUps
  readonly #trail: AuditTrail

  constructor(stepUps: StepUps, trail: AuditTrail) {
    this.#stepUps = stepUps
    this.#trail = trail
  }

  /**
   * @throws {ChallengeNotFound} also for another client's challenge, so that ids cannot be probed.
   * @throws {StorageUnavailable} @throws {DirectoryUnavailable} as {@link StepUps.load} does
   */
  async execute(challengeId: string, clientId: string): Promise<readonly RecordedEvent[]> {
    const stepUp = await this.#stepUps.load(challengeId)
    if (stepUp?.challenge.clientId !== clientId) throw new ChallengeNotFound(challengeId)
    return this.#trail.eventsOf(challengeId)
  }
}
