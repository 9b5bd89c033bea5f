import type { ReportableChallenges } from '../../../src/application/ports/reportable-challenges.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryReportableChallenges implements ReportableChallenges {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async challengeOf(issuanceId: string): Promise<string | undefined> {
    await turn()
    return this.#state.issuances.get(issuanceId)?.challengeId
  }

  async liveOf(subjectUserId: string, now: Date, atMost: number): Promise<readonly string[]> {
    await turn()
    return [...this.#state.challenges.values()]
      .filter((each) => each.subjectUserId === subjectUserId && Challenge.isLive(each, now))
      .toSorted((one, other) => other.expiresAt.getTime() - one.expiresAt.getTime())
      .slice(0, atMost)
      .map(({ id }) => id)
  }
}
