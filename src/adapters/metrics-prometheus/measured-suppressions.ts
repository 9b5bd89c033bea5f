import type { Provenance } from '../../application/ports/provenance.ts'
import type { Suppressions } from '../../application/ports/suppressions.ts'
import type { DomainEvent } from '../../domain/domain-event.ts'
import type { SubjectStanding } from '../../domain/subject-standing.ts'
import { countEvents } from './event-count.ts'
import type { Metrics } from './metrics.ts'

/** Counts what was decided about addresses, once it is stored. */
export class MeasuredSuppressions implements Suppressions {
  readonly #suppressions: Suppressions
  readonly #metrics: Metrics

  constructor(suppressions: Suppressions, metrics: Metrics) {
    this.#suppressions = suppressions
    this.#metrics = metrics
  }

  findBySubject(subjectUserId: string): Promise<SubjectStanding | undefined> {
    return this.#suppressions.findBySubject(subjectUserId)
  }

  findByAddress(address: string): Promise<readonly SubjectStanding[]> {
    return this.#suppressions.findByAddress(address)
  }

  async save(
    standing: SubjectStanding,
    events: readonly DomainEvent[],
    provenance: Provenance,
  ): Promise<boolean> {
    const saved = await this.#suppressions.save(standing, events, provenance)
    if (saved) countEvents(this.#metrics, events)
    return saved
  }
}
