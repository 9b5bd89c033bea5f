import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'

/** The place of a challenge among those of its subject. */
export interface ChallengePlace {
  readonly expiresAt: Date
  readonly id: string
}

export interface FoundChallenge {
  readonly challenge: Challenge
  /** The newest issuance, unless the search was for another one; undefined before the first one. */
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

  /**
   * Challenges with a code of that mark (`OtpIssuance.reference`) that was issued from `from` on and before `until`, the newest code
   * first. Each comes with that code, which need not be its newest. Ids of codes must rise with time, as `Identifiers` promises.
   *
   * @throws {StorageUnavailable}
   */
  abstract challengesMarked(mark: string, from: Date, until: Date): Promise<readonly FoundChallenge[]>

  /**
   * The ids of the users who have this mailbox: in our own directory, or as the address that gets no mail.
   *
   * @param hash SHA-256 of the mailbox key, in hexadecimal.
   * @throws {StorageUnavailable}
   */
  abstract subjectsOfMailbox(hash: string): Promise<readonly string[]>
}
