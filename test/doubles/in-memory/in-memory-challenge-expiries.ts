import type { ChallengeExpiries } from '../../../src/application/ports/challenge-expiries.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryChallengeExpiries implements ChallengeExpiries {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async take(before: Date, limit: number): Promise<number> {
    await turn()
    const { expiries, challenges, standings } = this.#state
    const due = [...expiries]
      .filter(([, expiresAt]) => expiresAt < before)
      .sort(([, one], [, other]) => one.getTime() - other.getTime())
      .slice(0, limit)
    const events = due.flatMap(([id]) => {
      expiries.delete(id)
      const challenge = challenges.get(id)
      if (challenge?.status !== 'pending' && challenge?.status !== 'verified') return []
      const standing = standings.get(challenge.subjectUserId)!
      standings.set(standing.subjectUserId, { ...standing, version: standing.version + 1 })
      return [Challenge.expire(challenge)]
    })
    this.#state.commit({ events, provenance: { actor: 'service' } })
    return due.length
  }
}
