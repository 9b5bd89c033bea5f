import type {
  ChallengePlace,
  FoundChallenge,
  SupportSearch,
} from '../../../src/application/ports/support-search.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemorySupportSearch implements SupportSearch {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async challengesOf(
    subjectUserId: string,
    page: {
      readonly clientId?: string | undefined
      readonly after?: ChallengePlace | undefined
      readonly limit: number
    },
  ): Promise<readonly FoundChallenge[]> {
    await turn()
    const { clientId, after, limit } = page
    return [...this.#state.challenges.values()]
      .filter((each) => each.subjectUserId === subjectUserId)
      .filter((each) => clientId === undefined || each.clientId === clientId)
      .filter((each) => !after || byPlace(after, each) < 0)
      .toSorted(byPlace)
      .slice(0, limit)
      .map((challenge) => this.#found(challenge))
  }

  #found(challenge: Challenge): FoundChallenge {
    const issuance = [...this.#state.issuances.values()].find(
      ({ challengeId, number }) => challengeId === challenge.id && number === challenge.issuanceCount,
    )
    return { challenge, issuance }
  }
}

/** The latest deadline first. */
function byPlace(one: ChallengePlace, other: ChallengePlace): number {
  return (
    other.expiresAt.getTime() - one.expiresAt.getTime() ||
    (one.id < other.id ? 1 : one.id > other.id ? -1 : 0)
  )
}
