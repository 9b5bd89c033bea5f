import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'

/** The place of a challenge among those of its subject. */
export interface ChallengePlace {
  readonly expiresAt: Date
  readonly id: string
}

export interface FoundChallenge {
  readonly challenge: Challenge
  /** The newest issuance; undefined before the first one. */
  readonly issuance: OtpIssuance | undefined
}

/** Finds what a support agent looks for. Reads only, and decides nothing. */
export abstract class SupportSearch {
  /**
   * Challenges of a subject, the one with the latest deadline first, from after `after` on. A place never changes, so a challenge that
   * is opened meanwhile moves no other one to another page.
   *
   * @param clientId only those of this client, if given.
   * @throws {StorageUnavailable}
   */
  abstract challengesOf(
    subjectUserId: string,
    page: {
      readonly clientId?: string | undefined
      readonly after?: ChallengePlace | undefined
      readonly limit: number
    },
  ): Promise<readonly FoundChallenge[]>
}
