import { Challenge, type PendingChallenge } from './challenge.ts'
import { DomainError } from './domain-error.ts'
import type { BounceKind, ChallengeEvent, DeliveryFailure } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { earlier, secondsAfter, secondsUntil } from './instant.ts'
import { retryAt } from './mail-retry.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/**
 * One code on its way to one mailbox. The status is that of the delivery; whether the code counts depends on
 * the clock and on newer issuances, see {@link OtpIssuance.isAlive}. The code itself is nowhere: it is derived.
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
  /** The mailbox the code was issued to, part of the derivation: a changed recipient is a changed code. */
  readonly recipient: EmailAddress
  readonly issuedAt: Date
  /** The end of the code: its own lifetime or the challenge's, whichever is first. */
  readonly expiresAt: Date
}

export interface QueuedIssuance extends IssuedOtp {
  readonly status: 'queued'
  /** Deliveries begun, the running one included. */
  readonly deliveryAttempts: number
  readonly nextAttemptAt: Date
}

interface SentIssuance extends IssuedOtp {
  readonly status: 'sent'
  readonly deliveryAttempts: number
  readonly sentAt: Date
  /** The mail provider's id of the mail, where it gave one. */
  readonly messageId: string | undefined
}

interface FailedIssuance extends IssuedOtp {
  readonly status: 'failed'
  readonly deliveryAttempts: number
  readonly failedAt: Date
  readonly reason: DeliveryFailure
}

interface HandedOverOtp extends IssuedOtp {
  readonly deliveryAttempts: number
  /** Undefined until our own record of the hand-over catches up with the mail system's report; for good if it was lost. */
  readonly sentAt: Date | undefined
  readonly messageId: string | undefined
}

interface DeliveredIssuance extends HandedOverOtp {
  readonly status: 'delivered'
  /** When the recipient's mail system took the mail. */
  readonly deliveredAt: Date
}

interface BouncedIssuance extends HandedOverOtp {
  readonly status: 'bounced'
  /** There if it had arrived all the same: what somebody complains about was delivered. */
  readonly deliveredAt: Date | undefined
  readonly bouncedAt: Date
  readonly kind: BounceKind
}

/** What the mail system says became of a mail that it took over. */
export type MailReport =
  | { readonly outcome: 'delivered'; readonly at: Date }
  | ({ readonly outcome: 'bounced' } & Bounce)

interface Bounce {
  readonly kind: BounceKind
  readonly at: Date
}

export interface IssuanceDemand {
  readonly id: string
  readonly keyId: string
  readonly recipient: EmailAddress
}

/** Read aloud without doubt: no I, O. */
const REFERENCE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

export const OtpIssuance = {
  /** The issuance that follows from a challenge whose `issuanceCount` counts it already. */
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

  /** Whether its code may verify the challenge: the newest one only, until its end. */
  isAlive(issuance: OtpIssuance, challenge: Challenge, now: Date): boolean {
    return (
      issuance.challengeId === challenge.id &&
      issuance.number === challenge.issuanceCount &&
      now < issuance.expiresAt
    )
  },

  /**
   * The instant from which the next code may be asked for. Each code of a challenge doubles the wait for the one after it,
   * up to the lifetime of a code: nobody has to wait without one that counts.
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
   * The two letters that tell the mails of a challenge apart. Follows from challenge and number, so all parties
   * compute the same one; consecutive numbers are a fixed stride apart and differ for 576 issuances.
   */
  reference({ challengeId, number }: Pick<OtpIssuance, 'challengeId' | 'number'>): string {
    const base = REFERENCE_LETTERS.length
    const offset = Number.parseInt(challengeId.slice(-6), 16)
    const index = (offset + number * 241) % base ** 2
    return `${REFERENCE_LETTERS[Math.floor(index / base)]}${REFERENCE_LETTERS[index % base]}`
  },

  /** Why the mail must not be sent (any more), if so: no one should get a code that does not count. */
  reasonToWithhold(issuance: OtpIssuance, challenge: Challenge, now: Date): DeliveryFailure | undefined {
    if (Challenge.statusAt(challenge, now) !== 'pending') return 'challenge-over'
    if (issuance.number !== challenge.issuanceCount) return 'superseded'
    if (now >= issuance.expiresAt) return 'code-expired'
    return undefined
  },

  /** The mail system took the mail. */
  markSent(queued: QueuedIssuance, messageId: string | undefined, now: Date): [SentIssuance, ChallengeEvent] {
    const { status: _, nextAttemptAt: __, ...issued } = queued
    return [
      { ...issued, status: 'sent', sentAt: now, messageId },
      { type: 'otp-sent', ...about(queued, now), attempt: queued.deliveryAttempts },
    ]
  },

  /** The mail system did not take the mail this time: again a little later, never past the code's end. */
  defer(queued: QueuedIssuance, now: Date): [QueuedIssuance | FailedIssuance, ChallengeEvent] {
    const nextAttemptAt = retryAt(queued.deliveryAttempts, now)
    if (nextAttemptAt >= queued.expiresAt) return OtpIssuance.fail(queued, 'code-expired', now)
    return [
      { ...queued, nextAttemptAt },
      { type: 'otp-deferred', ...about(queued, now), attempt: queued.deliveryAttempts },
    ]
  },

  /** The mail will never be sent. */
  fail(queued: QueuedIssuance, reason: DeliveryFailure, now: Date): [FailedIssuance, ChallengeEvent] {
    const { status: _, nextAttemptAt: __, ...issued } = queued
    return [
      { ...issued, status: 'failed', failedAt: now, reason },
      { type: 'otp-failed', ...about(queued, now), reason },
    ]
  },

  /**
   * Adds what the mail system says became of the mail. Reports come in any order, more than once, before our own record of
   * the hand-over and against it, and the outcome is the same whatever the order: a bounce outweighs a delivery, a
   * graver bounce a lighter one, and of two that say the same the earlier time stays. A report outweighs what this side
   * believed: the mail was taken over, also where nobody lived to record it, or it was given up without an answer.
   *
   * The issuance itself and no event if there is nothing new in it.
   */
  report(issuance: OtpIssuance, report: MailReport): [OtpIssuance, ChallengeEvent[]] {
    return report.outcome === 'delivered' ? deliver(issuance, report.at) : bounce(issuance, report)
  },
}

function deliver(issuance: OtpIssuance, at: Date): [OtpIssuance, ChallengeEvent[]] {
  const known = deliveredAtOf(issuance)
  if (known && known <= at) return [issuance, []]
  return [
    issuance.status === 'bounced'
      ? { ...issuance, deliveredAt: at }
      : { ...handedOver(issuance), status: 'delivered', deliveredAt: at },
    known ? [] : [{ type: 'otp-delivered', ...about(issuance, at) }],
  ]
}

function bounce(issuance: OtpIssuance, { kind, at }: Bounce): [OtpIssuance, ChallengeEvent[]] {
  const known = issuance.status === 'bounced' ? { kind: issuance.kind, at: issuance.bouncedAt } : undefined
  if (known && !outweighs({ kind, at }, known)) return [issuance, []]
  return [
    {
      ...handedOver(issuance),
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

/** The gravest word counts. */
const BOUNCES_BY_GRAVITY: readonly BounceKind[] = ['soft-bounce', 'hard-bounce', 'complaint']

function outweighs(one: Bounce, other: Bounce): boolean {
  if (one.kind === other.kind) return one.at < other.at
  return BOUNCES_BY_GRAVITY.indexOf(one.kind) > BOUNCES_BY_GRAVITY.indexOf(other.kind)
}

/** What is left of an issuance that the mail system has reported about, whatever this side took it for. */
function handedOver(issuance: OtpIssuance): HandedOverOtp {
  const { id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt, deliveryAttempts } =
    issuance
  return {
    ...{ id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt, deliveryAttempts },
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

/** The last code is too young to send another: the user has a mail under way. */
export class IssuanceTooSoon extends DomainError {
  readonly code = 'issuance-too-soon'
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`The next code may be sent in ${retryAfterInSeconds} seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}
