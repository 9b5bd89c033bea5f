import type { Provenance } from '../../../src/application/ports/provenance.ts'
import type { UserRegistry } from '../../../src/application/ports/user-directory.ts'
import type { Challenge } from '../../../src/domain/challenge.ts'
import type { DomainEvent } from '../../../src/domain/domain-event.ts'
import { ERASED_ADDRESS } from '../../../src/domain/email-address.ts'
import type { QueuedLockNotice } from '../../../src/domain/lock-notice.ts'
import { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { User, type UserDecision } from '../../../src/domain/user.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryUserRegistry implements UserRegistry {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async find(userId: string): Promise<User | undefined> {
    await turn()
    return this.#state.users.get(userId)
  }

  async put(user: User, now: Date, provenance: Provenance): Promise<'created' | 'updated'> {
    await turn()
    const [outcome, events] = this.#put(user, now)
    this.#state.commit({ events, provenance })
    return outcome
  }

  async putAll(users: readonly User[], now: Date, provenance: Provenance) {
    await turn()
    const counts = { created: 0, updated: 0 }
    const all: DomainEvent[] = []
    for (const user of users) {
      const [outcome, events] = this.#put(user, now)
      counts[outcome]++
      all.push(...events)
    }
    this.#state.commit({ events: all, provenance })
    return counts
  }

  async erase(userId: string, now: Date, provenance: Provenance): Promise<void> {
    await turn()
    if (!this.#state.standings.has(userId)) return
    this.#supersedeDecisions(userId)
    const queued = [...this.#state.lockNotices.values()].filter(
      (each): each is QueuedLockNotice => each.subjectUserId === userId && each.status === 'queued',
    )

    const decision = User.erase(userId, this.#challengesOf(userId), queued, now)
    if (!this.#forget(userId) && decision.cancelled.length === 0) return
    this.#store(decision)
    this.#state.commit({ events: decision.events, provenance })
  }

  #put(user: User, now: Date): ['created' | 'updated', readonly DomainEvent[]] {
    const { users } = this.#state
    this.#supersedeDecisions(user.userId)
    const previous = users.get(user.userId)

    const decision = User.changeEntry(previous, user, this.#challengesOf(user.userId), now)
    users.set(user.userId, User.replacing(previous, user, now))
    this.#store(decision)
    return [previous ? 'updated' : 'created', decision.events]
  }

  #challengesOf(userId: string): readonly Challenge[] {
    return [...this.#state.challenges.values()].filter(({ subjectUserId }) => subjectUserId === userId)
  }

  #supersedeDecisions(userId: string): void {
    const { standings } = this.#state
    const standing = standings.get(userId) ?? SubjectStanding.blank(userId)
    standings.set(userId, { ...standing, version: standing.version + 1 })
  }

  #store({ cancelled, withdrawn, notice }: UserDecision): void {
    if (notice) this.#state.notify(notice)
    for (const challenge of cancelled) this.#state.challenges.set(challenge.id, challenge)
    for (const notice of withdrawn) this.#state.lockNotices.set(notice.id, notice)
  }

  /** Removes the entry, and the address wherever a mail or a suppression left it. Returns whether there was one. */
  #forget(userId: string): boolean {
    const { users, standings, issuances, lockNotices, securityNotices } = this.#state
    const standing = standings.get(userId)!
    let found = users.delete(userId) || standing.suppression !== undefined
    for (const notice of [...securityNotices.values()]) {
      if (notice.subjectUserId === userId) found = securityNotices.delete(notice.id)
    }
    standings.set(userId, { ...standing, suppression: undefined })
    for (const mails of [issuances, lockNotices]) {
      for (const mail of [...mails.values()]) {
        if (mail.subjectUserId !== userId || mail.recipient === ERASED_ADDRESS) continue
        found = true
        ;(mails as Map<string, typeof mail>).set(mail.id, { ...mail, recipient: ERASED_ADDRESS })
      }
    }
    return found
  }
}
