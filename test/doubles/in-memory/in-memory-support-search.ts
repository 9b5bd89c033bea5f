import { createHash } from 'node:crypto'
import type {
  ChallengePlace,
  FoundChallenge,
  SupportSearch,
} from '../../../src/application/ports/support-search.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
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

  async challengesMarked(mark: string, from: Date, until: Date): Promise<readonly FoundChallenge[]> {
    await turn()
    return [...this.#state.issuances.values()]
      .filter(({ issuedAt }) => issuedAt >= from && issuedAt < until)
      .filter((issuance) => OtpIssuance.reference(issuance) === mark)
      .toSorted((one, other) => other.issuedAt.getTime() - one.issuedAt.getTime())
      .map((issuance) => ({ challenge: this.#state.challenges.get(issuance.challengeId)!, issuance }))
  }

  async subjectsOfMailbox(hash: string): Promise<readonly string[]> {
    await turn()
    const isMailbox = (address: EmailAddress | undefined) =>
      address !== undefined &&
      createHash('sha256').update(EmailAddress.mailboxKey(address)).digest('hex') === hash
    const users = [...this.#state.users.values()].filter(({ email }) => isMailbox(email))
    const standings = [...this.#state.standings.values()].filter(({ suppression }) =>
      isMailbox(suppression?.address),
    )
    const ids = [...users.map(({ userId }) => userId), ...standings.map(({ subjectUserId }) => subjectUserId)]
    return [...new Set(ids)].toSorted()
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
