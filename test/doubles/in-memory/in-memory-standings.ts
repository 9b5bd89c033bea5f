import type { Provenance } from '../../../src/application/ports/provenance.ts'
import type { Standings } from '../../../src/application/ports/standings.ts'
import type { SubjectStanding, Unlocking } from '../../../src/domain/subject-standing.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryStandings implements Standings {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async find(subjectUserId: string): Promise<SubjectStanding | undefined> {
    await turn()
    return this.#state.standings.get(subjectUserId)
  }

  async saveUnlocking({ standing, notice, event }: Unlocking, provenance: Provenance): Promise<boolean> {
    await turn()
    const { subjectUserId, version } = standing
    const current = this.#state.standings.get(subjectUserId)
    if (current?.version !== version) return false
    this.#state.standings.set(subjectUserId, { ...current, lockedUntil: undefined, version: version + 1 })
    if (notice) this.#state.notify(notice)
    this.#state.commit({ events: [event], provenance })
    return true
  }
}
