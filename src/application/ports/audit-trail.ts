import type { DomainEvent } from '../../domain/domain-event.ts'
import type { Provenance } from './provenance.ts'

/** An event as it was stored with the decision that it came out of. */
export type RecordedEvent = DomainEvent & Omit<Provenance, 'traceContext'>

/** What happened, in the order in which it was decided. Nothing in it can be changed. */
export abstract class AuditTrail {
  /** The events of one challenge, oldest first; none if there is no such challenge. */
  abstract eventsOf(challengeId: string): Promise<readonly RecordedEvent[]>
}
