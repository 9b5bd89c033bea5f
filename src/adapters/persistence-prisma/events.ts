import type { DomainEvent } from '../../domain/domain-event.ts'

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
