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
    this.#supersedeDecisions(userId)
    const user = this.#state.users.get(userId)
    if (!user) return
    const queued = [...this.#state.lockNotices.values()].filter(
      (each): each is QueuedLockNotice => each.subjectUserId === userId && each.status === 'queued',
    )

    const decision = User.erase(user, this.#challengesOf(userId), queued, now, tellsAddress)
    this.#store(decision, provenance)
    this.#forget(userId, now)
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

  /** Removes the entry, and the address wherever a mail or a suppression left it. */
  #forget(userId: string, now: Date): void {
    const { users, standings, issuances, lockNotices, securityNotices } = this.#state
    users.delete(userId)
    this.#state.erasures.set(userId, now)
    for (const notice of [...securityNotices.values()]) {
      if (notice.subjectUserId !== userId || notice.status === 'queued') continue
      securityNotices.set(notice.id, { ...notice, recipient: ERASED_ADDRESS })
    }
    standings.set(userId, { ...standings.get(userId)!, suppression: undefined })
    for (const issuance of [...issuances.values()]) {
      if (issuance.subjectUserId !== userId) continue
      issuances.set(issuance.id, { ...issuance, recipient: ERASED_ADDRESS })
    }
    for (const notice of [...lockNotices.values()]) {
      if (notice.subjectUserId !== userId) continue
      lockNotices.set(notice.id, { ...notice, recipient: ERASED_ADDRESS })
    }
  }
}
