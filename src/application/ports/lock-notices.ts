import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../domain/lock-notice.ts'
import type { User } from '../../domain/user.ts'

/** A notice that this process has to send. No other process gets it while the lease lasts. */
export interface LockNoticeDelivery {
  readonly notice: QueuedLockNotice
  /** The client of the challenge whose wrong code locked; undefined if the challenge is not there any more. */
  readonly clientId: string | undefined
  /** The recipient's entry; undefined if this service stores no more than the address. */
  readonly user: User | undefined
}

/** The lock notices whose mail must still be sent. `StepUps.save` stores them with the decisions that lock. */
export abstract class LockNotices {
  /**
   * Takes up to `limit` due notices, longest due first, and counts the attempt. No other process gets them before `leaseEnd`.
   * They are due again then, if this process died. Never waits for rows that another process is claiming.
   *
   * @throws {StorageUnavailable}
   */
  abstract claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]>

  /**
   * Stores the outcome of a claimed notice, with its events. Stores nothing and returns false if the lease ran out and another
   * process claimed the notice, or if its user was erased.
   *
   * @throws {StorageUnavailable}
   */
  abstract record(
    claimed: QueuedLockNotice,
    outcome: LockNotice,
    events: readonly ChallengeEvent[],
  ): Promise<boolean>
}
