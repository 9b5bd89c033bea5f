import type {
  ChallengePlace,
  FoundChallenge,
  SupportSearch,
} from '../../../application/ports/support-search.ts'
import type { Statements } from '../connection/statements.ts'
import { hasIssuance, type IssuanceRow, issuanceOf } from '../otp-outbox/issuance-row.ts'
import type { Joined } from '../row-mapping.ts'
import { type ChallengeRow, challengeOf } from '../step-ups/challenge-row.ts'
import { findChallengesOf } from './support-statements.ts'

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
}

function foundOf(row: FoundRow): FoundChallenge {
  return { challenge: challengeOf(row), issuance: hasIssuance(row) ? issuanceOf(row) : undefined }
}
