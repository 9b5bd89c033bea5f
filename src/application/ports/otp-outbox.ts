import type { Challenge } from '../../domain/challenge.ts'
import type { ChallengeEvent, Forgery } from '../../domain/domain-event.ts'
import type { OtpIssuance, QueuedIssuance } from '../../domain/otp-issuance.ts'
import type { User } from '../../domain/user.ts'

/** A mail that this process has to send. No other process gets it while the lease lasts. */
export interface OtpDelivery {
  readonly issuance: QueuedIssuance
  readonly challenge: Challenge
  /** The recipient's entry; undefined if it was erased. The mail goes to `issuance.recipient`. */
  readonly user: User | undefined
  /** The trace context of the request that issued the code; undefined if it was not traced. */
  readonly traceContext: string | undefined
  /**
   * How the rows show that somebody else wrote them; undefined if they do not. Called for each attempt, so that one bad row
   * stops one mail.
   *
   * @throws {UnknownOtpKey} if the key of a seal is not configured.
   */
  forgery(): Forgery | undefined
}

/** The issuances whose mail must still be sent. */
export abstract class OtpOutbox {
  /**
   * Takes up to `limit` due issuances, longest due first, and counts the attempt. No other process gets them before
   * `leaseEnd`. They are due again then, if this process died. Never waits for rows that another process is claiming.
   *
   * @throws {StorageUnavailable}
   */
  abstract claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly OtpDelivery[]>

  /**
   * Stores the outcome of a claimed issuance, with its event. Stores nothing and returns false if the lease ran out and
   * another process claimed the issuance, or if its outcome is known already. If a delivery report was stored first, it is
   * kept; the send only adds its time and message id.
   *
   * @throws {StorageUnavailable}
   */
  abstract record(claimed: QueuedIssuance, outcome: OtpIssuance, event: ChallengeEvent): Promise<boolean>
}
