import type { RecordedEvent } from '../../../src/application/ports/audit-trail.ts'
import type { Purged, Retention } from '../../../src/application/ports/retention.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryRetention implements Retention {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async *purge(expiredBefore: Date, limit: number): AsyncGenerator<Purged> {
    const challengeBatch = () => this.#purgeChallenges(expiredBefore, limit)
    const looseEventBatch = () => this.#purgeLooseEvents(expiredBefore, limit)

    for (const batch of [challengeBatch, looseEventBatch]) {
      for (let found = true; found; ) {
        await turn()
        const purged = batch()
        found = purged.challenges + purged.events > 0
        yield purged
      }
    }
  }

  async oldestExpiry(): Promise<Date | undefined> {
    await turn()
    const challenges = [...this.#state.challenges.values()]
    const [oldest] = challenges.sort((one, other) => (one.id < other.id ? -1 : 1))
    return oldest?.expiresAt
  }

  #purgeChallenges(expiredBefore: Date, limit: number): Purged {
    const { challenges, opened, issuances, lockNotices } = this.#state
    const expired = [...challenges.values()].filter(({ expiresAt }) => expiresAt < expiredBefore)
    const ids = new Set(expired.slice(0, limit).map(({ id }) => id))

    for (const id of ids) challenges.delete(id)
    for (const [key, { id }] of opened) if (ids.has(id)) opened.delete(key)
    for (const { id, challengeId } of issuances.values()) if (ids.has(challengeId)) issuances.delete(id)
    for (const { id, challengeId } of lockNotices.values()) if (ids.has(challengeId)) lockNotices.delete(id)
    const events = this.#purgeEvents((event) => 'challengeId' in event && ids.has(event.challengeId))
    return { challenges: ids.size, events }
  }

  /** Those that belong to no challenge. */
  #purgeLooseEvents(before: Date, limit: number): Purged {
    const loose = this.#state.events.filter((event) => !('challengeId' in event) && event.at < before)
    const past = new Set(loose.slice(0, limit))
    return { challenges: 0, events: this.#purgeEvents((event) => past.has(event)) }
  }

  /** Returns how many were deleted. */
  #purgeEvents(isPast: (event: RecordedEvent) => boolean): number {
    const { events } = this.#state
    const kept = events.filter((event) => !isPast(event))
    return events.splice(0, Infinity, ...kept).length - kept.length
  }
}
