import type { DomainEvent } from '../../domain/domain-event.ts'
import type { MailboxKey } from '../../domain/email-address.ts'
import type { SubjectStanding } from '../../domain/subject-standing.ts'
import type { Provenance } from './provenance.ts'

/** Finds subjects by their suppressed addresses, and stores suppressions. */
export abstract class Suppressions {
  /** Undefined if no decision about the subject was ever stored. @throws {StorageUnavailable} */
  abstract findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined>

  /** The subjects whose suppressed address is this mailbox, in any spelling. */
  abstract findByMailbox(mailbox: MailboxKey): Promise<readonly SubjectStanding[]>

  /**
   * Stores the suppression of a standing and the events, all or nothing, if no other decision about the subject was stored
   * since it was read. Returns false if one was: read and decide again.
   *
   * @throws {StorageUnavailable} It may have been stored.
   */
  abstract save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean>
}
