import type { DomainEvent } from '../../domain/domain-event.ts'
import type { Metrics } from './metrics.ts'

/** A word of a closed set. Any text at all as a label would be a time series for every text, so that does not compile. */
type Closed<Word extends string> = string extends Word ? never : Word
type Type = DomainEvent['type']
type Reason =
  | Extract<DomainEvent, { readonly reason: unknown }>['reason']
  | Extract<DomainEvent, { readonly kind: unknown }>['kind']

/** Counts events by type, and by reason where they have one. A new type of event is counted without a word here. */
export function countEvents({ events: counter }: Metrics, events: readonly DomainEvent[]): void {
  for (const event of events) {
    const type: Closed<Type> = event.type
    const reason: Closed<Reason> | '' = 'reason' in event ? event.reason : 'kind' in event ? event.kind : ''
    counter.inc({ type, reason })
  }
}
