import type { Challenge } from '../../domain/challenge.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import type { User } from '../../domain/user.ts'

/** A mail that this process, and for the time of its lease no other, is to hand over. */
export interface OtpDelivery {
  readonly issuance: QueuedIssuance
  readonly challenge: Challenge
  /** The recipient as a person; undefined if erased since. Where the mail goes is `issuance.recipient`. */
  readonly user: User | undefined
  /** That of the request which issued the code; undefined if it was not traced. */
  readonly traceContext: string | undefined
}

/** The issuances whose mail is still to be handed over. */
export abstract class OtpOutbox {
  /**
   * Takes up to `limit` due issuances, longest due first, counting the attempt. Nobody else gets them before
   * `leaseEnd`; should this process die they are due again then. Never waits for what another process is claiming.
   *
   * @throws {StorageUnavailable}
   */
  abstract claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]>

  /**
   * Stores what became of a claimed issuance, with its event. False, and nothing is stored, if the lease ran out and another
   * process claimed it, or its outcome is known already. If a report of the mail system was stored first, it is kept; a
   * hand-over only adds its time and the id of the mail.
   *
   * @throws {StorageUnavailable}
   */
  abstract record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean>
}
