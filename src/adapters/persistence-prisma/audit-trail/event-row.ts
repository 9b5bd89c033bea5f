import type { RecordedEvent } from '../../../application/ports/audit-trail.ts'
import type { Provenance } from '../../../application/ports/provenance.ts'
import { bucketOf } from '../../../domain/bucket.ts'
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
      bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
    )
    SELECT (event ->> 'bucket')::integer, (event ->> 'challengeId')::uuid, event ->> 'subjectUserId', event ->> 'type',
      (event ->> 'at')::timestamptz, ${actor}, ${requestId ?? null}, ${remoteAddress ?? null}, event -> 'details'
    FROM ${Prisma.raw(guard)}, jsonb_array_elements(${JSON.stringify(events.map(columnsOf))}::jsonb) AS event`
}

/**
 * The same for a statement about several decisions: the rows of `guard` have the columns `n`, `events` and those of the caller. Each event
 * locks the head of its subject's chain. Sorted, so that two statements wait for each other's heads in one order.
 */
export function insertEventsOfEach(guard: 'challenge' | 'issuance'): Prisma.Sql {
  return Prisma.raw(`
      INSERT INTO challenge_events (
        bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
      )
      SELECT event.bucket, event."challengeId", event."subjectUserId", event.type, event.at, actor, request_id, remote_address, event.details
      FROM ${guard}, ROWS FROM (
        json_to_recordset(events) AS (
          bucket integer, "challengeId" uuid, "subjectUserId" text, type text, at timestamptz, details jsonb
        )
      ) WITH ORDINALITY AS event (bucket, "challengeId", "subjectUserId", type, at, details, place)
      ORDER BY event."subjectUserId" COLLATE "C", n, place`)
}

/** More would run into the time limit of a statement. */
const MOST_EVENTS_IN_A_STATEMENT = 5000

/**
 * Stores events at the end of a transaction. Each locks the head of its subject's chain, so they come last, sorted by
 * subject: then no two transactions wait for each other.
 */
export async function appendEvents(
  transaction: Pick<Prisma.TransactionClient, '$executeRaw'>,
  events: readonly DomainEvent[],
  { actor, requestId, remoteAddress }: Provenance,
): Promise<void> {
  const sorted = events.toSorted((one, other) => Buffer.compare(bytesOf(one), bytesOf(other)))
  for (let from = 0; from < sorted.length; from += MOST_EVENTS_IN_A_STATEMENT) {
    const part = sorted.slice(from, from + MOST_EVENTS_IN_A_STATEMENT)
    await transaction.$executeRaw`
      INSERT INTO challenge_events (
        bucket, challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details
      )
      SELECT (event ->> 'bucket')::integer, (event ->> 'challengeId')::uuid, event ->> 'subjectUserId', event ->> 'type',
        (event ->> 'at')::timestamptz, ${actor}, ${requestId ?? null}, ${remoteAddress ?? null}, event -> 'details'
      FROM jsonb_array_elements(${JSON.stringify(part.map(columnsOf))}::jsonb) WITH ORDINALITY AS part (event, place)
      ORDER BY place`
  }
}

/** PostgreSQL compares them with COLLATE "C". */
function bytesOf({ subjectUserId }: DomainEvent): Buffer {
  return Buffer.from(subjectUserId)
}

/** An event as the columns of `challenge_events`. */
export function columnsOf(event: DomainEvent) {
  const { type, at, subjectUserId, ...rest } = event
  const { challengeId = null, ...details } = { challengeId: undefined, ...rest }
  return { bucket: bucketOf(subjectUserId), type, at, subjectUserId, challengeId, details }
}

/** The event in a row of `challenge_events`, with what caused it. */
export function eventOf(row: ChallengeEventModel): RecordedEvent {
  const { actor, requestId, remoteAddress } = row
  return {
    ...domainEventOf(row),
    actor,
    ...(requestId !== null && { requestId }),
    ...(remoteAddress !== null && { remoteAddress }),
  }
}

export function domainEventOf({
  type,
  occurredAt: at,
  subjectUserId,
  challengeId,
  details,
}: Pick<
  ChallengeEventModel,
  'type' | 'occurredAt' | 'subjectUserId' | 'challengeId' | 'details'
>): DomainEvent {
  return {
    type,
    at,
    subjectUserId,
    ...(challengeId !== null && { challengeId }),
    ...revived(details as Readonly<Record<string, unknown>>),
  } as DomainEvent
}

/** JSON has no dates. Only the detail `until` is a date. */
function revived({ until, ...details }: Readonly<Record<string, unknown>>) {
  return typeof until === 'string' ? { ...details, until: new Date(until) } : details
}
