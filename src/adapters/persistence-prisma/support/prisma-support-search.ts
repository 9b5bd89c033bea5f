import type {
  ChallengePlace,
  FoundChallenge,
  SupportSearch,
} from '../../../application/ports/support-search.ts'
import { OtpIssuance } from '../../../domain/otp-issuance.ts'
import type { Statements } from '../connection/statements.ts'
import { hasIssuance, type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import type { Joined } from '../row-mapping.ts'
import { type ChallengeRow, challengeOf } from '../step-ups/challenge-row.ts'
import {
  findChallengesOf,
  findChallengesOfCodes,
  findCodesIssued,
  findSubjectsOfMailbox,
  type MarkedRow,
} from './support-statements.ts'

type FoundRow = ChallengeRow & Joined<IssuanceRow>

/** Reads the tables of the step-ups through their indexes. Does not check seals: it decides nothing. */
export class PrismaSupportSearch implements SupportSearch {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  async challengesOf(
    subjectUserId: string,
    {
      clientId,
      after,
      limit,
    }: {
      readonly clientId?: string | undefined
      readonly after?: ChallengePlace | undefined
      readonly limit: number
    },
  ): Promise<readonly FoundChallenge[]> {
    const rows = await this.#statements.query<FoundRow>(
      findChallengesOf(subjectUserId, clientId, after, limit),
    )
    return rows.map(foundOf)
  }

  /** The mark follows from a code's row, by a rule of the domain. So the rows of those minutes are read, and few are kept. */
  async challengesMarked(mark: string, from: Date, until: Date): Promise<readonly FoundChallenge[]> {
    const codes = await this.#statements.query<MarkedRow>(findCodesIssued(from, until))
    const ids = codes
      .filter(
        ({ challenge_id: challengeId, subject_user_id: subjectUserId, number }) =>
          OtpIssuance.reference({ challengeId, subjectUserId, number }) === mark,
      )
      .map(({ id }) => id)
    if (ids.length === 0) return []
    const rows = await this.#statements.query<FoundRow>(findChallengesOfCodes(ids))
    return rows.map(foundOf)
  }

  async subjectsOfMailbox(hash: string): Promise<readonly string[]> {
    const rows = await this.#statements.query<{ readonly user_id: string }>(findSubjectsOfMailbox(hash))
    return rows.map(({ user_id }) => user_id)
  }
}

function foundOf(row: FoundRow): FoundChallenge {
  return { challenge: challengeOf(row), issuance: hasIssuance(row) ? issuanceOf(row) : undefined }
}
