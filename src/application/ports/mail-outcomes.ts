import type { MailOutcome, MailOutcomeDecision } from '../../domain/mail-outcome.ts'
import type { Provenance } from './provenance.ts'

/** Stores what becomes of mails after the hand-over, for any number of processes at once. */
export abstract class MailOutcomes {
  /**
   * Undefined if there is no such issuance. `issuanceId` must be a canonical UUID.
   *
   * @throws {StorageUnavailable}
   */
  abstract load(issuanceId: string): Promise<MailOutcome | undefined>

  /**
   * Stores the decision and its events, all or nothing, if nothing that it rests on has changed since the load: what is known
   * of the mail, and where the decision is about the standing, that too. False if something has: load and decide again.
   * A concurrent claim or hand-over does not count as a change and is not overwritten.
   *
   * @throws {StorageUnavailable} The decision may have been stored.
   */
  abstract save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean>
}
