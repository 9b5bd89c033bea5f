import type { MailOutcome, MailOutcomeDecision } from '../../domain/mail-outcome.ts'
import type { Provenance } from './provenance.ts'

/** Stores what happens to mails after they are sent, for any number of processes at the same time. */
export abstract class MailOutcomes {
  /**
   * Undefined if there is no such issuance. `issuanceId` must be a canonical UUID.
   *
   * @throws {StorageUnavailable}
   */
  abstract load(issuanceId: string): Promise<MailOutcome | undefined>

  /**
   * Stores the decision and its events, all or nothing, if what it is based on has not changed since the load: the reports
   * about the mail, and also the standing if the decision changes it. Returns false if something has changed: load and decide
   * again. A concurrent claim or send does not count as a change and is not overwritten.
   *
   * @throws {StorageUnavailable} The decision may have been stored.
   */
  abstract save(before: MailOutcome, decision: MailOutcomeDecision, provenance: Provenance): Promise<boolean>
}
