import type { DomainEvent } from '../../domain/domain-event.ts'
import type { Provenance } from './provenance.ts'

/** An event as it was stored, together with the decision that caused it. */
export type RecordedEvent = DomainEvent & Omit<Provenance, 'traceContext'>

/** Everything that happened, in the order of the decisions. Recorded events cannot be changed. */
export abstract class AuditTrail {
  /** The events of one challenge, oldest first. Empty if there is no such challenge. */
  abstract eventsOf(challengeId: string): Promise<readonly RecordedEvent[]>
}
