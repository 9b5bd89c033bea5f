import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../domain/lock-notice.ts'
import type { User } from '../../domain/user.ts'

/** A notice that this process, and for the time of its lease no other, is to hand over. */
export interface LockNoticeDelivery {
  readonly notice: QueuedLockNotice
  /** The recipient as a person; undefined where nobody here knows more than the address. */
  readonly user: User | undefined
}

/** The lock notices whose mail is still to be handed over. They get in here with the decisions that lock (`StepUps.save`). */
export abstract class LockNotices {
  /**
   * Takes up to `limit` due notices, longest due first, counting the attempt. Nobody else gets them before `leaseEnd`;
   * should this process die they are due again then. Never waits for what another process is claiming.
   *
   * @throws {StorageUnavailable}
   */
  abstract claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]>

  /**
   * Stores what became of a claimed notice, with its events. False, and nothing is stored, if the lease ran out and another
   * process claimed it, or its user was erased meanwhile.
   *
   * @throws {StorageUnavailable}
   */
  abstract record(
    claimed: QueuedLockNotice,
    outcome: LockNotice,
    events: readonly ChallengeEvent[],
  ): Promise<boolean>
}
