/** Finds the challenges that a report is about. Writes nothing. */
export abstract class ReportableChallenges {
  /**
   * The challenge that the issuance belongs to. Undefined if nobody knows it, or if it was purged. `issuanceId` must be a canonical UUID.
   *
   * @throws {StorageUnavailable}
   */
  abstract challengeOf(issuanceId: string): Promise<string | undefined>

  /**
   * The subject's challenges that can still change, whichever clients opened them: those that end last come first.
   *
   * @throws {StorageUnavailable}
   */
  abstract liveOf(subjectUserId: string, now: Date, atMost: number): Promise<readonly string[]>
}
