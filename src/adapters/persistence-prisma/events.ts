import type { RecordedEvent } from '../../application/ports/audit-trail.ts'
import type { DomainEvent } from '../../domain/domain-event.ts'
import type { ChallengeEventModel } from './generated/models.ts'

/** Events as one JSON parameter, in order, each with what all have in common apart from the rest. */
export function eventsAsJson(events: readonly DomainEvent[]): string {
  return JSON.stringify(events.map(columnsOf))
}

/** An event as the columns of `challenge_events`. */
export function columnsOf(event: DomainEvent) {
  const { type, at, subjectUserId, ...rest } = event
  const { challengeId = null, ...details } = { challengeId: undefined, ...rest }
  return { type, at, subjectUserId, challengeId, details }
}

/** The event that a row of `challenge_events` tells of. */
export function eventOf(row: ChallengeEventModel): RecordedEvent {
  const { type, occurredAt: at, subjectUserId, challengeId, details, actor, requestId, remoteAddress } = row
  return {
    type,
    at,
    subjectUserId,
    ...(challengeId !== null && { challengeId }),
    ...revived(details as Readonly<Record<string, unknown>>),
    actor,
    ...(requestId !== null && { requestId }),
    ...(remoteAddress !== null && { remoteAddress }),
  } as RecordedEvent
}

/** JSON has no dates; `until` is the one detail that is one. */
function revived({ until, ...details }: Readonly<Record<string, unknown>>) {
  return typeof until === 'string' ? { ...details, until: new Date(until) } : details
}
