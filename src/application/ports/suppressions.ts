import type { DomainEvent } from '../../domain/domain-event.ts'
import type { SubjectStanding } from '../../domain/subject-standing.ts'
import type { Provenance } from './provenance.ts'

/** Knows the subjects by the addresses that are out of use. */
export abstract class Suppressions {
  /** Undefined if nothing was ever decided about the subject. @throws {StorageUnavailable} */
  abstract findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined>

  /** The subjects whose address this is and is out of use. Upper and lower case are the same, as they are to mail systems. */
  abstract findByAddress(address: string): Promise<readonly SubjectStanding[]>

  /**
   * Stores the suppression of a standing and the events, all or nothing, if nothing was decided about the subject
   * since it was read. False if something was: read and decide again.
   *
   * @throws {StorageUnavailable} It may have been stored.
   */
  abstract save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean>
}
