import type { Provenance } from '../../../src/application/ports/provenance.ts'
import type { Suppressions } from '../../../src/application/ports/suppressions.ts'
import type { DomainEvent } from '../../../src/domain/domain-event.ts'
import { EmailAddress, type MailboxKey } from '../../../src/domain/email-address.ts'
import type { SubjectStanding } from '../../../src/domain/subject-standing.ts'
import { type InMemoryState, turn } from './in-memory-state.ts'

export class InMemorySuppressions implements Suppressions {
  readonly #state: InMemoryState

  constructor(state: InMemoryState) {
    this.#state = state
  }

  async findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined> {
    await turn()
    return this.#state.standings.get(subjectUserId)
  }

  async findByMailbox(mailbox: MailboxKey): Promise<readonly SubjectStanding[]> {
    await turn()
    return [...this.#state.standings.values()].filter(
      ({ suppression }) =>
        suppression?.address !== undefined && EmailAddress.mailboxKey(suppression.address) === mailbox,
    )
  }

  async save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean> {
    await turn()
    if (!storeSuppression(this.#state, standing)) return false
    this.#state.commit({ events, provenance })
    return true
  }
}

/** Stores the suppression alone, unless another decision about the subject came first: then false. */
export function storeSuppression(
  { standings }: InMemoryState,
  { subjectUserId, suppression, version }: SubjectStanding,
): boolean {
  const current = standings.get(subjectUserId)
  if (current?.version !== version) return false
  standings.set(subjectUserId, { ...current, suppression, version: version + 1 })
  return true
}
