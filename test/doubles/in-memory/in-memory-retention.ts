import type { Purged, Retention } from '../../../src/application/ports/retention.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryRetention implements Retention {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async *purge(expiredBefore: Date, limit: number): AsyncGenerator<Purged> {
    for (let found = true; found; ) {
      await turn()
      const challenges = this.#purgeChallenges(expiredBefore, limit)
      found = challenges > 0
      yield { challenges, events: 0 }
    }
  }

  /** All events were stored in this run, so none is old. */
  async *purgeTrail(): AsyncGenerator<Purged> {
    await turn()
    yield { challenges: 0, events: 0 }
  }

  async oldestExpiry(): Promise<Date | undefined> {
    await turn()
    const challenges = [...this.#state.challenges.values()]
    const [oldest] = challenges.sort((one, other) => (one.id < other.id ? -1 : 1))
    return oldest?.expiresAt
  }

  async trailOverdueInSeconds(): Promise<number> {
    await turn()
    return 0
  }

  /** Returns how many were deleted. */
  #purgeChallenges(expiredBefore: Date, limit: number): number {
    const { challenges, opened, issuances, lockNotices, serviceEvents } = this.#state
    const expired = [...challenges.values()].filter(({ expiresAt }) => expiresAt < expiredBefore)
    const ids = new Set(expired.slice(0, limit).map(({ id }) => id))

    for (const id of ids) challenges.delete(id)
    for (const [key, { id }] of opened) if (ids.has(id)) opened.delete(key)
    for (const { id, challengeId } of issuances.values()) if (ids.has(challengeId)) issuances.delete(id)
    for (const { id, challengeId } of lockNotices.values()) if (ids.has(challengeId)) lockNotices.delete(id)
    const kept = serviceEvents.filter(({ event }) => !ids.has(event.challengeId))
    serviceEvents.splice(0, serviceEvents.length, ...kept)
    return ids.size
  }
}
