import type { AuditTrail, RecordedEvent } from '../../../src/application/ports/audit-trail.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemoryAuditTrail implements AuditTrail {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async eventsOf(challengeId: string): Promise<readonly RecordedEvent[]> {
    await turn()
    return this.#state.events.filter((event) => 'challengeId' in event && event.challengeId === challengeId)
  }
}
