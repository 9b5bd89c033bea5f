import type { LockNoticeDelivery, LockNotices } from '../../../src/application/ports/lock-notices.ts'
import type { ChallengeEvent } from '../../../src/domain/domain-event.ts'
import type { LockNotice, QueuedLockNotice } from '../../../src/domain/lock-notice.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryLockNotices implements LockNotices {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly LockNoticeDelivery[]> {
    await turn()
    const { lockNotices, challenges, users } = this.#state
    const due = [...lockNotices.values()]
      .filter((each): each is QueuedLockNotice => each.status === 'queued' && each.nextAttemptAt <= now)
      .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
      .slice(0, limit)
    return due.map((each) => {
      const notice = { ...each, deliveryAttempts: each.deliveryAttempts + 1, nextAttemptAt: leaseEnd }
      lockNotices.set(notice.id, notice)
      const clientId = challenges.get(notice.challengeId)?.clientId
      return { notice, clientId, user: users.get(notice.subjectUserId) }
    })
  }

  async record(
    claimed: QueuedLockNotice,
    outcome: LockNotice,
    events: readonly ChallengeEvent[],
  ): Promise<boolean> {
    await turn()
    const current = this.#state.lockNotices.get(claimed.id)
    if (current?.status !== 'queued' || current.deliveryAttempts !== claimed.deliveryAttempts) return false
    this.#state.lockNotices.set(claimed.id, outcome)
    this.#state.commit({ events, provenance: { actor: 'service' } })
    return true
  }
}
