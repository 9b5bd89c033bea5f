import type { Clock } from '../ports/clock.ts'
import type { StoredRow, SubjectRecords } from '../ports/subject-records.ts'

export interface SubjectExport {
  readonly subjectUserId: string
  readonly exportedAt: Date
  /** By the name of the table. */
  readonly tables: Readonly<Record<string, readonly StoredRow[]>>
}

/** Hands out all that is kept about a user, for the answer to a request by GDPR article 15. Changes nothing. */
export class ExportSubject {
  readonly #records: Pick<SubjectRecords, 'rowsAbout'>
  readonly #clock: Clock

  constructor(records: Pick<SubjectRecords, 'rowsAbout'>, clock: Clock) {
    this.#records = records
    this.#clock = clock
  }

  /** @throws {StorageUnavailable} */
  async execute(subjectUserId: string): Promise<SubjectExport> {
    const tables = await this.#records.rowsAbout(subjectUserId)
    return { subjectUserId, exportedAt: this.#clock.now(), tables }
  }
}
