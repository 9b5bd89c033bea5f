import { z } from 'zod'

/** What every event says. */
interface EventBase {
  /** A UUID, the same in each delivery. */
  readonly id: string
  /** When it happened. */
  readonly at: Date
  readonly challengeId: string
  /** The user that the challenge is about. */
  readonly subjectUserId: string
  /** The client that opened the challenge: this service. */
  readonly clientId: string
  /** A cursor among the events of this client: later events have higher numbers, with gaps. */
  readonly position: number
}

/** An event of a type without anything peculiar. */
interface PlainEvent<Type extends string> extends EventBase {
  readonly type: Type
}

/**
 * Something in the life of a challenge of this service. It contains no code, no address and no text of the operation.
 *
 * A newer service may send types that this version does not know. `EventReceiver` accepts and drops them.
 */
export type ServiceEvent =
  /** The challenge waits for its user. `operationType` is the `type` of its operation. */
  | (PlainEvent<'challenge-opened'> & { readonly operationType: string })
  /** The user asked for a code, the first one of the challenge (`number` 1) or another. */
  | (PlainEvent<'otp-issued'> & { readonly number: number })
  /** Our mail system has the mail. */
  | PlainEvent<'otp-sent'>
  /** A mail system could not pass the mail on yet. */
  | PlainEvent<'otp-delayed'>
  /** The recipient's mail system has the mail. */
  | PlainEvent<'otp-delivered'>
  /** The mail came back. `kind` is `soft-bounce`, `hard-bounce` or `complaint`. */
  | (PlainEvent<'otp-bounced'> & { readonly kind: string })
  /** The mail will never be sent. */
  | (PlainEvent<'otp-failed'> & { readonly reason: string })
  /** The user typed a wrong code. */
  | (PlainEvent<'otp-rejected'> & { readonly attemptsRemaining: number })
  /** The user has approved the operation. */
  | PlainEvent<'challenge-verified'>
  /** Wrong codes ended the challenge. */
  | PlainEvent<'challenge-exhausted'>
  /** Its time ran out: before its user approved the operation, or before this service used the approval. */
  | PlainEvent<'challenge-expired'>
  /** The challenge ended without an approval. `by-subject`: the user declined. `reported`: the user says that the operation is not theirs. */
  | (PlainEvent<'challenge-cancelled'> & { readonly reason: string })
  /** The approval was used. */
  | PlainEvent<'challenge-consumed'>
  /** Wrong codes locked the user, until `until`. */
  | (PlainEvent<'subject-locked'> & { readonly until: Date })
  /**
   * The user says that the operation is not theirs. `statusBefore` is how the challenge stood then: what was `pending` or `verified` is
   * cancelled, and what was `consumed` may have run. `mail` is the mail whose link its reader followed: `otp` or `lock-notice`.
   */
  | (PlainEvent<'challenge-reported'> & { readonly statusBefore: string; readonly mail: string })

export type ServiceEventType = ServiceEvent['type']

const DETAILS: { readonly [Type in ServiceEventType]: z.ZodType } = {
  'challenge-opened': z.object({ operationType: z.string() }),
  'otp-issued': z.object({ number: z.int() }),
  'otp-sent': z.object({}),
  'otp-delayed': z.object({}),
  'otp-delivered': z.object({}),
  'otp-bounced': z.object({ kind: z.string() }),
  'otp-failed': z.object({ reason: z.string() }),
  'otp-rejected': z.object({ attemptsRemaining: z.int() }),
  'challenge-verified': z.object({}),
  'challenge-exhausted': z.object({}),
  'challenge-expired': z.object({}),
  'challenge-cancelled': z.object({ reason: z.string() }),
  'challenge-consumed': z.object({}),
  'subject-locked': z.object({ until: z.coerce.date() }),
  'challenge-reported': z.object({ statusBefore: z.string(), mail: z.string() }),
}

/** Events of another source may come to the same endpoint. */
const TYPE_PREFIX = 'countersign.'

const CloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  type: z.string().startsWith(TYPE_PREFIX),
  time: z.coerce.date(),
  data: z.looseObject({
    challengeId: z.string(),
    clientId: z.string(),
    subjectUserId: z.string(),
    position: z.int(),
  }),
})

/** An event whose type this version of the kit does not know. */
export interface UnknownEvent extends EventBase {
  readonly type: undefined
}

/** Reads the CloudEvent of a delivery, or one of a list. @throws {Error} if it is not an event of Countersign. */
export function readEvent(json: unknown): ServiceEvent | UnknownEvent {
  const { id, type: fullType, time, data } = CloudEvent.parse(json)
  const { challengeId, clientId, subjectUserId, position } = data
  const base = { id, at: time, challengeId, clientId, subjectUserId, position }
  const type = fullType.slice(TYPE_PREFIX.length)
  if (!isKnown(type)) return { ...base, type: undefined }
  return { ...base, type, ...(DETAILS[type].parse(data) as object) } as ServiceEvent
}

function isKnown(type: string): type is ServiceEventType {
  return Object.hasOwn(DETAILS, type)
}
