import type { DomainEvent } from '../../domain/domain-event.ts'
import type { QueuedSecurityNotice, SecurityNotice } from '../../domain/security-notice.ts'
import type { User } from '../../domain/user.ts'

/** A notice that this process has to send. No other process gets it while the lease lasts. */
export interface SecurityNoticeDelivery {
  readonly notice: QueuedSecurityNotice
  /** The entry of the user; undefined if this service stores none. */
  readonly user: User | undefined
  /** The mailbox had enough notices about this user in that hour ({@link SecurityNotice.mostPerUserAndHour}). */
  readonly isSurplus: boolean
}

/** The security notices whose mail must still be sent. Decisions and changes of users store them. */
export abstract class SecurityNotices {
  /** Takes up to `limit` due notices, as {@link LockNotices.claim} does. @throws {StorageUnavailable} */
  abstract claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly SecurityNoticeDelivery[]>

  /**
   * Stores the outcome of a claimed notice, with its events. Stores nothing and returns false if the lease ran out and another
   * process claimed the notice, or if its user was erased.
   *
   * @throws {StorageUnavailable}
   */
  abstract record(
    claimed: QueuedSecurityNotice,
    outcome: SecurityNotice,
    events: readonly DomainEvent[],
  ): Promise<boolean>
}
