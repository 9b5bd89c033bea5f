import type { DomainEvent } from '../../domain/domain-event.ts'

/** Events as one JSON parameter, in order, each with what all have in common apart from the rest. */
export function eventsAsJson(events: readonly DomainEvent[]): string {
  return JSON.stringify(
    events.map(({ type, challengeId, subjectUserId, at, ...details }) => ({
      type,
      challengeId,
      subjectUserId,
      at,
      details,
    })),
  )
}
