import { Challenge } from './challenge.ts'
import type { CancellationReason, ChallengeEvent, Forgery } from './domain-event.ts'
import { EmailAddress, type MailboxKey } from './email-address.ts'
import { later, secondsUntil } from './instant.ts'
import { LockNotice, type LockNoticeDemand, type QueuedLockNotice } from './lock-notice.ts'
import { type IssuanceDemand, OtpIssuance, type QueuedIssuance } from './otp-issuance.ts'
import type { SecurityNoticeDraft } from './security-notice.ts'
import type { StepUpPolicy } from './step-up-policy.ts'
import { IssuancesSpent, SubjectStanding } from './subject-standing.ts'
import { User, type Whereabouts } from './user.ts'

/** Everything that a decision about a challenge depends on, read at one instant. */
export interface StepUp {
  readonly challenge: Challenge
  /** The newest issuance, the only one whose code can count. */
  readonly issuance: OtpIssuance | undefined
  readonly standing: SubjectStanding
  /** How the stored rows show that somebody else wrote them; undefined if they do not. */
  readonly forgery?: Forgery | undefined
}

/** What a decision changes. It is stored whole or not at all. */
export interface StepUpDecision {
  readonly challenge: Challenge
  readonly standing: SubjectStanding
  /** The issuance that the decision made, if it made one. */
  readonly issued?: QueuedIssuance
  /** The mailbox of that issuance, and how many codes it may get in an hour. The store counts it, over all subjects. */
  readonly mailbox?: { readonly key: MailboxKey; readonly atMost: number }
  /** The issuance whose code verified the challenge, if one did. */
  readonly verifiedBy?: OtpIssuance
  /** The warning about a lock, if the decision started one and there is an address to send it to. */
  readonly lockNotice?: QueuedLockNotice
  /** The mail that tells the subject what the decision ended, if there is an address to send it to. */
  readonly securityNotice?: SecurityNoticeDraft
  readonly events: readonly ChallengeEvent[]
}

/** The answer to a code. A rejection is an outcome, not an error: the attempt it spent has to be stored. */
export type Verdict =
  | { readonly outcome: 'verified' }
  | {
      readonly outcome: 'rejected'
      /** Guesses left, by the challenge's budget and the subject's. At 0 the challenge is over or the subject locked. */
      readonly attemptsRemaining: number
      readonly contextEndsInSeconds: number
    }

/** Decisions that involve more than one aggregate. */
export const StepUp = {
  /**
   * Issues a code. The code before it no longer counts.
   *
   * @throws {ChallengeOver} @throws {SubjectLocked} @throws {IssuanceTooSoon} @throws {IssuancesSpent}
   */
  issueOtp(
    stepUp: StepUp,
    demand: IssuanceDemand,
    policy: StepUpPolicy,
    now: Date,
  ): StepUpDecision & { readonly issued: QueuedIssuance } {
    const challenge = Challenge.countIssuance(stepUp.challenge, now)
    SubjectStanding.assertNotLocked(stepUp.standing, now)
    if (stepUp.issuance) OtpIssuance.assertCooledDown(stepUp.issuance, policy, now)
    if (challenge.issuanceCount > policy.maxIssuances) {
      throw new IssuancesSpent(secondsUntil(challenge.expiresAt, now))
    }
    const standing = SubjectStanding.countIssuance(stepUp.standing, policy, now)
    const issued = OtpIssuance.queue(demand, challenge, policy, now)
    const { id: challengeId, subjectUserId } = challenge
    return {
      challenge,
      standing,
      issued,
      mailbox: {
        key: EmailAddress.mailboxKey(issued.recipient),
        atMost: mostForMailbox(policy, standing.recentIssuances.length === 1),
      },
      events: [
        {
          type: 'otp-issued',
          challengeId,
          subjectUserId,
          at: now,
          issuanceId: issued.id,
          number: issued.number,
        },
      ],
    }
  },

  /**
   * Judges one code that the user entered. `codeMatches` is called at most once, and only for an issuance that counts:
   * without one the code is wrong, and costs an attempt like any other. A wrong code that locks the subject queues a warning.
   *
   * @throws {ChallengeOver} @throws {SubjectLocked}
   */
  verifyOtp(
    { challenge, issuance, standing }: StepUp,
    codeMatches: (issuance: OtpIssuance) => boolean,
    notice: LockNoticeDemand,
    policy: StepUpPolicy,
    now: Date,
  ): [StepUpDecision, Verdict] {
    Challenge.assertPending(challenge, now)
    SubjectStanding.assertNotLocked(standing, now)

    if (issuance && OtpIssuance.isAlive(issuance, challenge, now) && codeMatches(issuance)) {
      const [verified, event] = Challenge.verify(challenge, issuance.id, now)
      return [
        {
          challenge: verified,
          standing: SubjectStanding.succeed(standing),
          verifiedBy: issuance,
          events: [event],
        },
        { outcome: 'verified' },
      ]
    }

    const [rejected, events] = Challenge.reject(challenge, now)
    const failed = SubjectStanding.fail(standing, policy, now)
    const address = notice.address ?? issuance?.recipient
    return [
      withLock({ challenge: rejected, standing: failed, events }, { ...notice, address }, now),
      {
        outcome: 'rejected',
        attemptsRemaining: Math.min(
          rejected.attemptsRemaining,
          SubjectStanding.attemptsRemaining(failed, policy, now),
        ),
        contextEndsInSeconds: secondsUntil(challenge.expiresAt, now),
      },
    ]
  },

  /**
   * Cancels a live challenge that no decision may rest on: its rows are forged, or its subject is not where they were. Those went
   * to another address than that of the newest code, have no address any more, or are gone. Undefined if there is nothing to
   * cancel. A subject without an address ends nothing before a code was sent: they may get one. The address of the newest code hears
   * that there is another one, because no other change of ours says so.
   */
  cancelIfUnsound(stepUp: StepUp, whereabouts: Whereabouts, now: Date): StepUpDecision | undefined {
    const { challenge, issuance, standing, forgery } = stepUp
    if (!Challenge.isLive(challenge, now)) return undefined
    const reason = forgery ?? reasonToCancel(issuance, whereabouts)
    if (!reason) return undefined
    const [cancelled, event] = Challenge.cancel(challenge, reason, now)
    const notice = reason === 'email-address-changed' && noticeOfMove(stepUp, whereabouts, now)
    return { challenge: cancelled, standing, ...(notice && { securityNotice: notice }), events: [event] }
  },

  /** When the next code may be requested; undefined if the challenge allows no further code. */
  nextIssuanceAt(
    { challenge, issuance, standing }: StepUp,
    policy: StepUpPolicy,
    now: Date,
    user?: User,
  ): Date | undefined {
    if (Challenge.statusAt(challenge, now) !== 'pending' || challenge.issuanceCount >= policy.maxIssuances) {
      return undefined
    }
    const cooledDownAt = issuance ? OtpIssuance.resendAvailableAt(issuance, policy) : challenge.createdAt
    const barredUntil = [
      SubjectStanding.issuanceBarredUntil(standing, policy, now),
      user && User.heldUntil(user, policy, now),
    ]
    const at = barredUntil.reduce<Date>((latest, until) => later(latest, until ?? latest), cooledDownAt)
    return at < challenge.expiresAt ? at : undefined
  },
}

function reasonToCancel(
  issuance: OtpIssuance | undefined,
  whereabouts: Whereabouts,
): CancellationReason | undefined {
  if (!whereabouts.user) {
    return whereabouts.because === 'no-address' && !issuance ? undefined : 'user-gone'
  }
  const { email } = whereabouts.user
  return issuance && !EmailAddress.isSameMailbox(email, issuance.recipient)
    ? 'email-address-changed'
    : undefined
}

/**
 * How many codes a mailbox may get in an hour. The first code of a subject in an hour has half as many places of its own. Without them,
 * others with the same address could use up all of them, and the owner of the mailbox would get none.
 */
function mostForMailbox(
  { mailboxMaxIssuancesPerHour: most }: StepUpPolicy,
  isFirstOfSubject: boolean,
): number {
  return most + (isFirstOfSubject ? Math.ceil(most / 2) : 0)
}

/** To where the newest code went; undefined if no mail may go there. */
function noticeOfMove(
  { challenge: { clientId, subjectUserId }, issuance, standing }: StepUp,
  { user }: Whereabouts,
  happenedAt: Date,
): SecurityNoticeDraft | undefined {
  if (!issuance || SubjectStanding.isSuppressed(standing, issuance.recipient)) return undefined
  const { recipient } = issuance
  const locale = user?.locale
  return {
    kind: 'address-changed',
    clientId,
    subjectUserId,
    recipient,
    happenedAt,
    ...(locale && { locale }),
  }
}

/** Adds the event and the warning of a lock, if the decision starts one. */
function withLock(decision: StepUpDecision, { id, address }: LockNoticeDemand, now: Date): StepUpDecision {
  const { challenge, standing, events } = decision
  const { lockedUntil: until } = standing
  if (!until || !SubjectStanding.isLocked(standing, now)) return decision

  const { id: challengeId, subjectUserId } = challenge
  const reachable = address && !SubjectStanding.isSuppressed(standing, address)
  return {
    ...decision,
    ...(reachable && { lockNotice: LockNotice.queue(id, address, challenge, until, now) }),
    events: [...events, { type: 'subject-locked', challengeId, subjectUserId, at: now, until }],
  }
}
