import type { DomainEvent } from './domain-event.ts'
import { secondsAfter } from './instant.ts'

/** The events of the audit trail that a service gets to know. The trigger of `challenge_events` has the same list. */
export const SERVICE_EVENT_TYPES = [
  'challenge-opened',
  'otp-issued',
  'otp-sent',
  'otp-delayed',
  'otp-delivered',
  'otp-bounced',
  'otp-failed',
  'otp-rejected',
  'challenge-verified',
  'challenge-exhausted',
  'challenge-expired',
  'challenge-cancelled',
  'challenge-consumed',
  'subject-locked',
  'challenge-reported',
] as const
export type ServiceEventType = (typeof SERVICE_EVENT_TYPES)[number]

/** Something in the life of a challenge that its service gets to know. Contains no code, address or text of the operation. */
export interface ServiceEvent {
  /** A UUID, the same in each delivery. */
  readonly id: string
  readonly clientId: string
  readonly challengeId: string
  readonly subjectUserId: string
  /** Its place among all service events: later ones have higher numbers, with gaps. */
  readonly position: number
  readonly type: ServiceEventType
  readonly at: Date
  /** What is peculiar to the type, such as `attemptsRemaining`. */
  readonly details: Readonly<Record<string, string | number>>
}

/** The details of the trail that services get. All others stay here. */
const TOLD_DETAILS: Readonly<Partial<Record<ServiceEventType, readonly string[]>>> = {
  'challenge-opened': ['operationType'],
  'otp-issued': ['number'],
  'otp-bounced': ['kind'],
  'otp-failed': ['reason'],
  'otp-rejected': ['attemptsRemaining'],
  'challenge-cancelled': ['reason'],
  'subject-locked': ['until'],
}

/** The schedule that Standard Webhooks recommends, up to a day: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, and what is left of the day. */
const RETRIES_IN_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 23_400]
/** Retries of many events do not come at the same moment. */
const JITTER = 0.1
const LONGEST_WISH_IN_SECONDS = 86_400

/** What to record about an attempt to deliver an event. */
export type ServiceEventOutcome =
  | { readonly status: 'accepted' }
  | { readonly status: 'deferred'; readonly nextAttemptAt: Date }
  /** It is not tried again by itself. The service still finds it with its cursor. */
  | { readonly status: 'given-up' }

/** Who gets to know the event, and its place. */
interface Telling {
  readonly id: string
  readonly clientId: string
  readonly position: number
}

export const ServiceEvent = {
  /** The event as its service gets to know it; undefined if it does not. */
  of(event: DomainEvent, { id, clientId, position }: Telling): ServiceEvent | undefined {
    const type = SERVICE_EVENT_TYPES.find((each) => each === event.type)
    if (!type || !('challengeId' in event)) return undefined
    const { challengeId, subjectUserId, at } = event
    const details = Object.fromEntries(
      (TOLD_DETAILS[type] ?? []).flatMap((name) => {
        const value = (event as Readonly<Record<string, unknown>>)[name]
        if (value instanceof Date) return [[name, value.toISOString()]]
        return typeof value === 'string' || typeof value === 'number' ? [[name, value]] : []
      }),
    )
    return { id, clientId, challengeId, subjectUserId, position, type, at, details }
  },

  /**
   * What becomes of an event whose delivery failed.
   *
   * @param attempts deliveries that were started, at least one.
   * @param retryAfterInSeconds what the endpoint asked for. It only lengthens a wait, to a day at most.
   * @param spread a number from 0 to 1, by chance.
   */
  afterFailure(
    attempts: number,
    now: Date,
    spread: number,
    retryAfterInSeconds = 0,
  ): Exclude<ServiceEventOutcome, { status: 'accepted' }> {
    const wait = RETRIES_IN_SECONDS[attempts - 1]
    if (wait === undefined) return { status: 'given-up' }
    const seconds = Math.max(
      wait * (1 + JITTER * spread),
      Math.min(retryAfterInSeconds, LONGEST_WISH_IN_SECONDS),
    )
    return { status: 'deferred', nextAttemptAt: secondsAfter(now, seconds) }
  },
}
