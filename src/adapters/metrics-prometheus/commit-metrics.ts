import type { CommitListener } from '../../application/ports/commit-listener.ts'
import { type DomainEvent, isForgery } from '../../domain/domain-event.ts'
import type { Metrics } from './metrics.ts'

/** A word of a closed set. A plain `string` does not compile, because every text would start a time series of its own. */
type Closed<Word extends string> = string extends Word ? never : Word
type Type = DomainEvent['type']
type Reason =
  | Extract<DomainEvent, { readonly reason: unknown }>['reason']
  | Extract<DomainEvent, { readonly kind: unknown }>['kind']

/**
 * Counts events by type, and by reason if they have one. Measures how long a code took to be sent, delivered and verified.
 * A new type of event is counted without a change here.
 */
export function commitMetrics(metrics: Metrics): CommitListener {
  return ({ events, issuance }) => {
    for (const event of events) {
      const type: Closed<Type> = event.type
      const reason: Closed<Reason> | '' = 'reason' in event ? event.reason : 'kind' in event ? event.kind : ''
      metrics.events.inc({ type, reason })

      if (isForgery(event)) metrics.forgeries.inc({ reason: event.reason })
      if (event.type === 'otp-failed') metrics.deliveryFailures.inc({ reason: event.reason })
      const duration = issuance && durationUpTo(event, metrics)
      duration?.observe((event.at.getTime() - issuance!.issuedAt.getTime()) / 1000)
    }
  }
}

/** The histogram of the time from the issuance of a code to this event, if there is such a histogram. */
function durationUpTo({ type }: DomainEvent, metrics: Metrics): Metrics['timeToHandover'] | undefined {
  switch (type) {
    case 'otp-sent':
      return metrics.timeToHandover
    case 'otp-delivered':
      return metrics.timeToDelivery
    case 'challenge-verified':
      return metrics.timeToVerification
    default:
      return undefined
  }
}
