import type {
  SecurityNoticeDelivery,
  SecurityNotices,
} from '../../../src/application/ports/security-notices.ts'
import type { DomainEvent } from '../../../src/domain/domain-event.ts'
import { EmailAddress, ERASED_ADDRESS } from '../../../src/domain/email-address.ts'
import { type QueuedSecurityNotice, SecurityNotice } from '../../../src/domain/security-notice.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemorySecurityNotices implements SecurityNotices {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async claim(limit: number, now: Date, leaseEnd: Date): Promise<readonly SecurityNoticeDelivery[]> {
    await turn()
    const { securityNotices, users } = this.#state
    const due = [...securityNotices.values()]
      .filter((each): each is QueuedSecurityNotice => each.status === 'queued' && each.nextAttemptAt <= now)
      .sort((one, other) => one.nextAttemptAt.getTime() - other.nextAttemptAt.getTime())
      .slice(0, limit)
    return due.map((each) => {
      const notice = { ...each, deliveryAttempts: each.deliveryAttempts + 1, nextAttemptAt: leaseEnd }
      securityNotices.set(notice.id, notice)
      return { notice, user: users.get(notice.subjectUserId), isSurplus: this.#isSurplus(notice) }
    })
  }

  #isSurplus(notice: QueuedSecurityNotice): boolean {
    const counted = [...this.#state.securityNotices.values()].filter(
      (each) =>
        each.id !== notice.id &&
        each.subjectUserId === notice.subjectUserId &&
        Math.abs(each.happenedAt.getTime() - notice.happenedAt.getTime()) < 3_600_000 &&
        (each.recipient === ERASED_ADDRESS || EmailAddress.isSameMailbox(each.recipient, notice.recipient)) &&
        (each.status === 'sent' || (each.status === 'queued' && isBefore(each, notice))),
    )
    return counted.length >= SecurityNotice.mostPerUserAndHour
  }

  async record(
    claimed: QueuedSecurityNotice,
    outcome: SecurityNotice,
    events: readonly DomainEvent[],
  ): Promise<boolean> {
    await turn()
    const current = this.#state.securityNotices.get(claimed.id)
    if (current?.status !== 'queued' || current.deliveryAttempts !== claimed.deliveryAttempts) return false
    const losesAddress = outcome.status !== 'queued' && this.#state.erasedNotices.has(claimed.id)
    this.#state.securityNotices.set(claimed.id, {
      ...outcome,
      ...(losesAddress && { recipient: ERASED_ADDRESS }),
    })
    this.#state.commit({ events, provenance: { actor: 'service' } })
    return true
  }
}

function isBefore(one: SecurityNotice, other: SecurityNotice): boolean {
  const between = one.happenedAt.getTime() - other.happenedAt.getTime()
  return between < 0 || (between === 0 && one.id < other.id)
}
