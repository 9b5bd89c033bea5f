import type { SubjectStanding, Unlocking } from '../../domain/subject-standing.ts'
import type { Provenance } from './provenance.ts'

/** What counts against each subject, as the support sees it. */
export abstract class Standings {
  /** Undefined if no decision about the subject was ever stored. @throws {StorageUnavailable} */
  abstract find(subjectUserId: string): Promise<SubjectStanding | undefined>

  /**
   * Stores the early end of a lock with its event, and queues its notice, all or nothing, if no other decision about the subject
   * was stored since the standing was read. Returns false if one was: read and decide again.
   *
   * @throws {StorageUnavailable} It may have been stored.
   */
  abstract saveUnlocking(unlocking: Unlocking, provenance: Provenance): Promise<boolean>
}
