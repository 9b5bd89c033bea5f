import type { LockNoticeDelivery, LockNotices } from '../../application/ports/lock-notices.ts'
import type { ChallengeEvent } from '../../domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../domain/lock-notice.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what became of notices, once that is recorded. */
export class MeasuredLockNotices implements LockNotices {
  readonly #notices: LockNotices
  readonly #metrics: Metrics

  constructor(notices: LockNotices, metrics: Metrics) {
    this.#notices = notices
    this.#metrics = metrics
  }

  claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]> {
    return this.#notices.claim(limit, now, leaseEnd)
  }

  async record(
    claimed: QueuedLockNotice,
    outcome: LockNotice,
    events: readonly ChallengeEvent[],
  ): Promise<boolean> {
    const recorded = await this.#notices.record(claimed, outcome, events)
    if (recorded) countEvents(this.#metrics, events)
    return recorded
  }
}
