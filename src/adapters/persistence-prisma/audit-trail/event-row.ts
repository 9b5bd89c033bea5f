import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import type { DomainEvent } from '../../../domain/domain-event.ts'
import { Prisma } from '../generated/client.ts'
import type { ChallengeEventModel } from '../generated/models.ts'

/**
 * The part of a statement that stores the events of a decision, in order, as one parameter. It stores them once for each
 * row of `guard`. That part of the statement returns a row only if the decision is stored.
 */
export function insertEvents(
  guard: 'challenge' | 'issuance' | 'notice' | 'standing',
  events: readonly DomainEvent[],
  { actor, requestId, remoteAddress }: Provenance,
): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO challenge_events (
      challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
    )
    SELECT (event ->> 'challengeId')::uuid, event ->> 'subjectUserId', event ->> 'type',
      (event ->> 'at')::timestamptz, ${actor}, ${requestId ?? null}, ${remoteAddress ?? null}, event -> 'details'
    FROM ${Prisma.raw(guard)}, jsonb_array_elements(${JSON.stringify(events.map(columnsOf))}::jsonb) AS event`
}

/** An event as the columns of `challenge_events`. */
export function columnsOf(event: DomainEvent) {
  const { type, at, subjectUserId, ...rest } = event
  const { challengeId = null, ...details } = { challengeId: undefined, ...rest }
  return { type, at, subjectUserId, challengeId, details }
}

/** The event in a row of `challenge_events`. */
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

/** JSON has no dates. Only the detail `until` is a date. */
function revived({ until, ...details }: Readonly<Record<string, unknown>>) {
  return typeof until === 'string' ? { ...details, until: new Date(until) } : details
}
