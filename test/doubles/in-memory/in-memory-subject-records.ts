import type { StoredRow, SubjectRecords } from '../../../src/application/ports/subject-records.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

/** Has other rows than a database, and the same tables for what the state holds. */
export class InMemorySubjectRecords implements SubjectRecords {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async rowsAbout(subjectUserId: string): Promise<Readonly<Record<string, readonly StoredRow[]>>> {
    await turn()
    const { users, challenges, events } = this.#state
    const rowsOf = <Item extends object>(items: Iterable<Item>, isAbout: (item: Item) => boolean) =>
      [...items].filter(isAbout).map((item): StoredRow => Object.fromEntries(Object.entries(item)))
    return {
      users: rowsOf(users.values(), ({ userId }) => userId === subjectUserId),
      challenges: rowsOf(challenges.values(), (each) => each.subjectUserId === subjectUserId),
      challenge_events: rowsOf(events, (each) => each.subjectUserId === subjectUserId),
    }
  }
}
