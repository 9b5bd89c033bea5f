import { Challenge, type ChallengeStatus } from '../../domain/challenge.ts'
import type { Clock } from '../ports/clock.ts'
import type { ChallengePlace, FoundChallenge, SupportSearch } from '../ports/support-search.ts'

export interface ListChallengesCommand {
  readonly subjectUserId: string
  /** Only challenges of this client. Undefined: of all. */
  readonly clientId?: string | undefined
  /** Where the page before ended. */
  readonly after?: ChallengePlace | undefined
  readonly limit: number
}

export interface ListedChallenge extends FoundChallenge {
  readonly status: ChallengeStatus
}

export interface ChallengePage {
  /** The one with the latest deadline first. */
  readonly challenges: readonly ListedChallenge[]
  /** Where the next page starts; undefined on the last one. */
  readonly next: ChallengePlace | undefined
}

/** Lists the challenges of a subject for the support, whichever client opened them. Changes nothing. */
export class ListChallenges {
  readonly #search: Pick<SupportSearch, 'challengesOf'>
  readonly #clock: Clock

  constructor(search: Pick<SupportSearch, 'challengesOf'>, clock: Clock) {
    this.#search = search
    this.#clock = clock
  }

  /** @throws {StorageUnavailable} */
  async execute({ subjectUserId, limit, ...page }: ListChallengesCommand): Promise<ChallengePage> {
    const now = this.#clock.now()
    // One more than the page holds says whether there is another page.
    const found = await this.#search.challengesOf(subjectUserId, { ...page, limit: limit + 1 })
    const challenges = found
      .slice(0, limit)
      .map((each) => ({ ...each, status: Challenge.statusAt(each.challenge, now) }))
    const last = challenges.at(-1)?.challenge
    const isLast = found.length <= limit || !last
    return { challenges, next: isLast ? undefined : { expiresAt: last.expiresAt, id: last.id } }
  }
}
