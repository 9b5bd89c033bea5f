import { Challenge } from '../../domain/challenge.ts'
import { secondsAfter } from '../../domain/instant.ts'
import type { Clock } from '../ports/clock.ts'
import type { SupportSearch } from '../ports/support-search.ts'
import type { ListedChallenge } from './list-challenges.ts'

export interface FindMarkedChallengesCommand {
  /** The two letters of the mail, in any case. */
  readonly mark: string
  /** The minute in which the mail arrived, as the user reads it. */
  readonly minute: Date
}

/** A mail arrives some time after its code was issued. */
const LONGEST_WAY_IN_SECONDS = 120
const MINUTE_IN_SECONDS = 60

/** Finds challenges by what a user reads aloud from a mail: its mark, and when it arrived. Changes nothing. */
export class FindMarkedChallenges {
  readonly #search: Pick<SupportSearch, 'challengesMarked'>
  readonly #clock: Clock

  constructor(search: Pick<SupportSearch, 'challengesMarked'>, clock: Clock) {
    this.#search = search
    this.#clock = clock
  }

  /** The newest code first, each with the code that has the mark. @throws {StorageUnavailable} */
  async execute({ mark, minute }: FindMarkedChallengesCommand): Promise<readonly ListedChallenge[]> {
    const now = this.#clock.now()
    const found = await this.#search.challengesMarked(
      mark.toUpperCase(),
      secondsAfter(minute, -LONGEST_WAY_IN_SECONDS),
      secondsAfter(minute, MINUTE_IN_SECONDS),
    )
    return found.map((each) => ({ ...each, status: Challenge.statusAt(each.challenge, now) }))
  }
}
