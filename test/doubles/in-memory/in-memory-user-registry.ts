import { clientOf, type Provenance } from '../../../src/application/ports/provenance.ts'
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
    const [outcome, events] = this.#put(user, now, provenance)
    this.#state.commit({ events, provenance })
    return outcome
  }

  async putAll(users: readonly User[], now: Date, provenance: Provenance) {
    await turn()
    const counts = { created: 0, updated: 0 }
    const all: DomainEvent[] = []
    for (const user of users) {
      const [outcome, events] = this.#put(user, now, provenance)
      counts[outcome]++
      all.push(...events)
    }
    this.#state.commit({ events: all, provenance })
    return counts
  }

  async erase(userId: string, now: Date, provenance: Provenance, tellsAddress = false): Promise<void> {
    await turn()
    if (!this.#state.standings.has(userId)) return
    this.#supersedeDecisions(userId)
    const user = this.#state.users.get(userId)
    const queued = [...this.#state.lockNotices.values()].filter(
      (each): each is QueuedLockNotice => each.subjectUserId === userId && each.status === 'queued',
    )

    const challenges = this.#challengesOf(userId)
    const decision = User.erase(user ?? { userId }, challenges, queued, now, tellsAddress)
    this.#store(decision, provenance)
    const hadAddress = this.#forget(userId)
    if (user) this.#state.erasures.set(userId, now)
    if (!user && !hadAddress && decision.cancelled.length === 0) return
    this.#state.commit({ events: decision.events, provenance })
  }

  #put(user: User, now: Date, provenance: Provenance): ['created' | 'updated', readonly DomainEvent[]] {
    const { users } = this.#state
    this.#supersedeDecisions(user.userId)
    const previous = users.get(user.userId)

    const decision = User.changeEntry(previous, user, this.#challengesOf(user.userId), now)
    users.set(user.userId, User.replacing(previous, user, this.#state.erasures.get(user.userId), now))
    this.#store(decision, provenance)
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

  #store({ cancelled, withdrawn, notice }: UserDecision, provenance: Provenance): void {
    if (notice) this.#state.notify({ ...notice, clientId: clientOf(provenance) })
    for (const challenge of cancelled) this.#state.challenges.set(challenge.id, challenge)
    for (const notice of withdrawn) this.#state.lockNotices.set(notice.id, notice)
  }

  /** Removes the entry, and the address wherever a mail or a suppression left it. Returns whether one was left, besides the entry's. */
  #forget(userId: string): boolean {
    const { users, standings, issuances, lockNotices, securityNotices, erasedNotices } = this.#state
    users.delete(userId)
    const standing = standings.get(userId)!
    let found = standing.suppression !== undefined
    standings.set(userId, { ...standing, suppression: undefined })
    for (const notice of [...securityNotices.values()]) {
      if (notice.subjectUserId !== userId || erasedNotices.has(notice.id)) continue
      found = true
      erasedNotices.add(notice.id)
      if (notice.status !== 'queued') securityNotices.set(notice.id, { ...notice, recipient: ERASED_ADDRESS })
    }
    for (const issuance of [...issuances.values()]) {
      if (issuance.subjectUserId !== userId || issuance.recipient === ERASED_ADDRESS) continue
      found = true
      issuances.set(issuance.id, { ...issuance, recipient: ERASED_ADDRESS })
    }
    for (const notice of [...lockNotices.values()]) {
      if (notice.subjectUserId !== userId || notice.recipient === ERASED_ADDRESS) continue
      found = true
      lockNotices.set(notice.id, { ...notice, recipient: ERASED_ADDRESS })
    }
    return found
  }
}
