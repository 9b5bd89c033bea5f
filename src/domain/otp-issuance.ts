import { bucketInId, bucketOf } from './bucket.ts'
import { Challenge, type PendingChallenge } from './challenge.ts'
import { DomainError } from './domain-error.ts'
import type { BounceKind, ChallengeEvent, DeliveryFailure } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { earlier, secondsAfter, secondsUntil } from './instant.ts'
import { retryAt } from './mail-retry.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/**
 * One code on its way to one mailbox. The status describes the delivery. Whether the code counts depends on the clock and on
 * newer issuances, see {@link OtpIssuance.isAlive}. The code itself is not stored: it is derived.
 */
export type OtpIssuance = QueuedIssuance | SentIssuance | FailedIssuance | DeliveredIssuance | BouncedIssuance

interface IssuedOtp {
  readonly id: string
  readonly challengeId: string
  readonly subjectUserId: string
  /** 1 for the first code of its challenge. */
  readonly number: number
  /** The key that its seed is derived from, so that keys can rotate while codes are in flight. */
  readonly keyId: string
  /** The mailbox the code was issued to. The code is derived from it, too: another recipient gets another code. */
  readonly recipient: EmailAddress
  readonly issuedAt: Date
  /** When the code ends: after its own lifetime or with the challenge, whichever is first. */
  readonly expiresAt: Date
  /** When the mail system reported that it has the mail and could not pass it on yet. Missing if it never did. */
  readonly delayedAt?: Date
}

export interface QueuedIssuance extends IssuedOtp {
  readonly status: 'queued'
  /** Deliveries that were started, including the current one. */
  readonly deliveryAttempts: number
  readonly nextAttemptAt: Date
}

interface SentIssuance extends IssuedOtp {
  readonly status: 'sent'
  readonly deliveryAttempts: number
  readonly sentAt: Date
  /** The mail provider's id for the mail, if it gave one. */
  readonly messageId: string | undefined
}

interface FailedIssuance extends IssuedOtp {
  readonly status: 'failed'
  readonly deliveryAttempts: number
  readonly failedAt: Date
  readonly reason: DeliveryFailure
}

interface AcceptedOtp extends IssuedOtp {
  readonly deliveryAttempts: number
  /** Undefined if the mail system's report was stored before our own record of sending, until that record follows. */
  readonly sentAt: Date | undefined
  readonly messageId: string | undefined
}

interface DeliveredIssuance extends AcceptedOtp {
  readonly status: 'delivered'
  /** When the recipient's mail system accepted the mail. */
  readonly deliveredAt: Date
}

interface BouncedIssuance extends AcceptedOtp {
  readonly status: 'bounced'
  /** Set if the mail was delivered as well: a mail that its reader complains about has arrived. */
  readonly deliveredAt: Date | undefined
  readonly bouncedAt: Date
  readonly kind: BounceKind
}

/** What the mail system reports about a mail that it accepted. */
export type MailReport =
  | { readonly outcome: 'delayed'; readonly at: Date }
  | { readonly outcome: 'delivered'; readonly at: Date }
  | ({ readonly outcome: 'bounced' } & Bounce)

/** A report that says what, and not when. */
export type UndatedReport =
  | { readonly outcome: 'delayed' | 'delivered' }
  | { readonly outcome: 'bounced'; readonly kind: BounceKind }

interface Bounce {
  readonly kind: BounceKind
  readonly at: Date
}

export interface IssuanceDemand {
  readonly id: string
  readonly keyId: string
  readonly recipient: EmailAddress
}

/** Without I and O, which people mistake for digits. */
const REFERENCE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

export const OtpIssuance = {
  /** The issuance of a challenge whose `issuanceCount` already includes it. */
  queue(
    { id, keyId, recipient }: IssuanceDemand,
    challenge: PendingChallenge,
    policy: StepUpPolicy,
    now: Date,
  ): QueuedIssuance {
    return {
      status: 'queued',
      id,
      challengeId: challenge.id,
      subjectUserId: challenge.subjectUserId,
      number: challenge.issuanceCount,
      keyId,
      recipient,
      issuedAt: now,
      expiresAt: earlier(secondsAfter(now, policy.codeLifetimeInSeconds), challenge.expiresAt),
      deliveryAttempts: 0,
      nextAttemptAt: now,
    }
  },

  /** Whether its code can verify the challenge: only the newest one can, until it ends. */
  isAlive(issuance: OtpIssuance, challenge: Challenge, now: Date): boolean {
    return (
      issuance.challengeId === challenge.id &&
      issuance.number === challenge.issuanceCount &&
      now < issuance.expiresAt
    )
  },

  /**
   * When the next code may be requested. Each code of a challenge doubles the wait for the next one, up to the lifetime of a
   * code: nobody has to wait without a code that counts.
   */
  resendAvailableAt({ number, issuedAt }: OtpIssuance, policy: StepUpPolicy): Date {
    const { resendCooldownInSeconds: least, codeLifetimeInSeconds } = policy
    return secondsAfter(issuedAt, Math.max(least, Math.min(least * 2 ** (number - 1), codeLifetimeInSeconds)))
  },

  /** @throws {IssuanceTooSoon} while the newest issuance is younger than the cooldown. */
  assertCooledDown(newest: OtpIssuance, policy: StepUpPolicy, now: Date): void {
    const availableAt = OtpIssuance.resendAvailableAt(newest, policy)
    if (now < availableAt) throw new IssuanceTooSoon(secondsUntil(availableAt, now))
  },

  /**
   * Two letters that distinguish the mails of a challenge. They follow from challenge and number, so every party computes the
   * same ones. Consecutive numbers are a fixed stride apart, so 576 issuances in a row all differ. The digits before the bucket
   * decide, because the bucket is the same in all challenges of the subject. An id from before the buckets has others at its end.
   */
  reference({
    challengeId,
    subjectUserId,
    number,
  }: Pick<OtpIssuance, 'challengeId' | 'subjectUserId' | 'number'>): string {
    const base = REFERENCE_LETTERS.length
    const isBucketed = bucketInId(challengeId) === bucketOf(subjectUserId)
    const digits = isBucketed ? challengeId.slice(-9, -3) : challengeId.slice(-6)
    const offset = Number.parseInt(digits, 16)
    const index = (offset + number * 241) % base ** 2
    return `${REFERENCE_LETTERS[Math.floor(index / base)]}${REFERENCE_LETTERS[index % base]}`
  },

  /** Why the mail must not be sent; undefined if it may be. Nobody should receive a code that does not count. */
  reasonToWithhold(issuance: OtpIssuance, challenge: Challenge, now: Date): DeliveryFailure | undefined {
    if (Challenge.statusAt(challenge, now) !== 'pending') return 'challenge-over'
    if (issuance.number !== challenge.issuanceCount) return 'superseded'
    if (now >= issuance.expiresAt) return 'code-expired'
    return undefined
  },

  /** The mail system accepted the mail. */
  markSent(queued: QueuedIssuance, messageId: string | undefined, now: Date): [SentIssuance, ChallengeEvent] {
    const { status: _, nextAttemptAt: __, ...issued } = queued
    return [
      { ...issued, status: 'sent', sentAt: now, messageId },
      { type: 'otp-sent', ...about(queued, now), attempt: queued.deliveryAttempts },
    ]
  },

  /** The mail system did not accept the mail this time. It is retried a little later, but never after the code ends. */
  defer(
    queued: QueuedIssuance,
    now: Date,
    reply?: string,
  ): [QueuedIssuance | FailedIssuance, ChallengeEvent] {
    const nextAttemptAt = retryAt(queued.deliveryAttempts, now)
    if (nextAttemptAt >= queued.expiresAt) return OtpIssuance.fail(queued, 'code-expired', now, reply)
    const attempt = queued.deliveryAttempts
    return [
      { ...queued, nextAttemptAt },
      { type: 'otp-deferred', ...about(queued, now), attempt, ...(reply !== undefined && { reply }) },
    ]
  },

  /** The mail will never be sent. */
  fail(
    queued: QueuedIssuance,
    reason: DeliveryFailure,
    now: Date,
    reply?: string,
  ): [FailedIssuance, ChallengeEvent] {
    const { status: _, nextAttemptAt: __, ...issued } = queued
    return [
      { ...issued, status: 'failed', failedAt: now, reason },
      { type: 'otp-failed', ...about(queued, now), reason, ...(reply !== undefined && { reply }) },
    ]
  },

  /**
   * Adds what the mail system reports about the mail. Reports come in any order, more than once, and may precede or
   * contradict our own record of sending. The outcome does not depend on their order: a bounce outweighs a delivery, a graver
   * bounce outweighs a lighter one, and two equal reports keep the earlier time. A report outweighs our own record: the mail
   * was accepted, even if the process died before it recorded that, or gave up without an answer. A delay is only remembered: a
   * mail that waits is still on its way.
   *
   * Returns the same issuance and no event if the report says nothing new.
   */
  report(issuance: OtpIssuance, report: MailReport): [OtpIssuance, ChallengeEvent[]] {
    switch (report.outcome) {
      case 'delayed':
        return delay(issuance, report.at)
      case 'delivered':
        return deliver(issuance, report.at)
      case 'bounced':
        return bounce(issuance, report)
    }
  },

  /**
   * When the mail system reported the same, or something graver that includes it, for the first time; undefined if it has not. A
   * repeated report without a time of its own is of that time.
   */
  reportedAt(issuance: OtpIssuance, report: UndatedReport): Date | undefined {
    switch (report.outcome) {
      case 'delayed':
        return issuance.delayedAt
      case 'delivered':
        return deliveredAtOf(issuance)
      case 'bounced':
        return issuance.status === 'bounced' && gravityOf(issuance.kind) >= gravityOf(report.kind)
          ? issuance.bouncedAt
          : undefined
    }
  },
}

/** A later end of the mail leaves nothing to say about a delay. */
function delay(issuance: OtpIssuance, at: Date): [OtpIssuance, ChallengeEvent[]] {
  const { delayedAt: known, status } = issuance
  if (known && known <= at) return [issuance, []]
  const isNews = !known && status !== 'delivered' && status !== 'bounced'
  return [{ ...issuance, delayedAt: at }, isNews ? [{ type: 'otp-delayed', ...about(issuance, at) }] : []]
}

function deliver(issuance: OtpIssuance, at: Date): [OtpIssuance, ChallengeEvent[]] {
  const known = deliveredAtOf(issuance)
  if (known && known <= at) return [issuance, []]
  return [
    issuance.status === 'bounced'
      ? { ...issuance, deliveredAt: at }
      : { ...accepted(issuance), status: 'delivered', deliveredAt: at },
    known ? [] : [{ type: 'otp-delivered', ...about(issuance, at) }],
  ]
}

function bounce(issuance: OtpIssuance, { kind, at }: Bounce): [OtpIssuance, ChallengeEvent[]] {
  const known = issuance.status === 'bounced' ? { kind: issuance.kind, at: issuance.bouncedAt } : undefined
  if (known && !outweighs({ kind, at }, known)) return [issuance, []]
  return [
    {
      ...accepted(issuance),
      status: 'bounced',
      deliveredAt: deliveredAtOf(issuance),
      bouncedAt: at,
      kind,
    },
    known?.kind === kind ? [] : [{ type: 'otp-bounced', ...about(issuance, at), kind }],
  ]
}

function deliveredAtOf(issuance: OtpIssuance): Date | undefined {
  return 'deliveredAt' in issuance ? issuance.deliveredAt : undefined
}

/** The gravest report counts. */
const BOUNCES_BY_GRAVITY: readonly BounceKind[] = ['soft-bounce', 'hard-bounce', 'complaint']

function outweighs(one: Bounce, other: Bounce): boolean {
  if (one.kind === other.kind) return one.at < other.at
  return gravityOf(one.kind) > gravityOf(other.kind)
}

function gravityOf(kind: BounceKind): number {
  return BOUNCES_BY_GRAVITY.indexOf(kind)
}

/** The issuance as one that was sent, whatever its status: a report proves that the mail system accepted the mail. */
function accepted(issuance: OtpIssuance): AcceptedOtp {
  const { id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt, deliveryAttempts } =
    issuance
  return {
    ...{ id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt, deliveryAttempts },
    ...(issuance.delayedAt && { delayedAt: issuance.delayedAt }),
    sentAt: 'sentAt' in issuance ? issuance.sentAt : undefined,
    messageId: 'messageId' in issuance ? issuance.messageId : undefined,
  }
}

function about(issuance: OtpIssuance, at: Date) {
  return {
    challengeId: issuance.challengeId,
    subjectUserId: issuance.subjectUserId,
    issuanceId: issuance.id,
    at,
  }
}

/** The last code was issued too recently: its mail may still be on its way. */
export class IssuanceTooSoon extends DomainError {
  readonly code = 'issuance-too-soon'
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`The next code may be sent in ${retryAfterInSeconds} seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}
