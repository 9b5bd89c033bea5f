/** A row as it is stored, under the names of its columns. */
export type StoredRow = Readonly<Record<string, unknown>>

/** Everything that this service keeps about a person. */
export abstract class SubjectRecords {
  /**
   * Each row about the user, by the name of its table, as of one instant. Every table that can have such a row is there, if only with
   * an empty list. Seals are left out, because they say nothing about a person. So is the name of a support agent, who is another one.
   *
   * @throws {StorageUnavailable}
   */
  abstract rowsAbout(subjectUserId: string): Promise<Readonly<Record<string, readonly StoredRow[]>>>
}
