import { DomainError } from './domain-error.ts'
import type { DomainEvent, SuppressionReason } from './domain-event.ts'
import { EmailAddress } from './email-address.ts'
import { later, secondsAfter, secondsUntil } from './instant.ts'
import type { SecurityNoticeDraft } from './security-notice.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/**
 * What counts against one subject over all their challenges: failures in a row, locks, and mails of the last hour. A new
 * challenge or a resend never clears failures and locks; only a success does.
 */
export interface SubjectStanding {
  readonly subjectUserId: string
  /** Wrong codes since the last success or lock. */
  readonly consecutiveFailures: number
  /** Locks since the last success; each doubles the next. */
  readonly consecutiveLocks: number
  readonly lockedUntil: Date | undefined
  /** When codes were issued, oldest first. The next issuance drops what is older than an hour. */
  readonly recentIssuances: readonly Date[]
  /** The latest report about the subject's address; undefined if there never was one. */
  readonly suppression: Suppression | LiftedSuppression | undefined
  /**
   * Counts the decisions about this subject. A save is refused when another decision came first: the subject is the unit of
   * concurrency, so one version guards standing, challenge and issuance together.
   */
  readonly version: number
}

/** An address that receives no mail, and since when. Other addresses of the subject are not affected. */
interface Suppression {
  readonly address: EmailAddress
  readonly reason: SuppressionReason
  readonly at: Date
}

/** Mails are sent again. Kept so that a report that arrives late can be recognised as older. */
interface LiftedSuppression {
  readonly address: undefined
  readonly at: Date
}

/** The early end of a lock. It is stored whole or not at all. */
export interface Unlocking {
  readonly standing: SubjectStanding
  /** The mail that tells the user, if there is an address to send it to. */
  readonly notice?: SecurityNoticeDraft
  readonly event: DomainEvent
}

const HOUR_IN_SECONDS = 3600
const DAY_IN_SECONDS = 86_400

export const SubjectStanding = {
  blank(subjectUserId: string): SubjectStanding {
    return {
      subjectUserId,
      consecutiveFailures: 0,
      consecutiveLocks: 0,
      lockedUntil: undefined,
      recentIssuances: [],
      suppression: undefined,
      version: 0,
    }
  },

  isLocked(standing: SubjectStanding, now: Date): boolean {
    return standing.lockedUntil !== undefined && now < standing.lockedUntil
  },

  /** @throws {SubjectLocked} while a lock lasts. */
  assertNotLocked(standing: SubjectStanding, now: Date): void {
    if (standing.lockedUntil !== undefined && now < standing.lockedUntil) {
      throw new SubjectLocked(secondsUntil(standing.lockedUntil, now))
    }
  },

  /** Counts one more mail. @throws {IssuancesSpent} if the last hour's budget is spent. */
  countIssuance(standing: SubjectStanding, policy: StepUpPolicy, now: Date): SubjectStanding {
    const spentUntil = issuancesSpentUntil(standing, policy, now)
    if (spentUntil) throw new IssuancesSpent(secondsUntil(spentUntil, now))
    return { ...standing, recentIssuances: [...ofLastHour(standing, now), now] }
  },

  /** Until when a lock or the hour's budget prevents another code; undefined if neither does. */
  issuanceBarredUntil(standing: SubjectStanding, policy: StepUpPolicy, now: Date): Date | undefined {
    const lockedUntil = SubjectStanding.isLocked(standing, now) ? standing.lockedUntil : undefined
    const spentUntil = issuancesSpentUntil(standing, policy, now)
    return lockedUntil && spentUntil ? later(lockedUntil, spentUntil) : (lockedUntil ?? spentUntil)
  },

  /** Counts one wrong code. The last one allowed in a row locks the subject, for twice as long as the last time. */
  fail(standing: SubjectStanding, policy: StepUpPolicy, now: Date): SubjectStanding {
    const consecutiveFailures = standing.consecutiveFailures + 1
    if (consecutiveFailures < policy.subjectMaxFailures) return { ...standing, consecutiveFailures }

    const lockInSeconds = Math.min(
      policy.subjectLockInSeconds * 2 ** standing.consecutiveLocks,
      DAY_IN_SECONDS,
    )
    return {
      ...standing,
      consecutiveFailures: 0,
      consecutiveLocks: standing.consecutiveLocks + 1,
      lockedUntil: secondsAfter(now, lockInSeconds),
    }
  },

  /** A correct code clears failures and locks. */
  succeed(standing: SubjectStanding): SubjectStanding {
    return { ...standing, consecutiveFailures: 0, consecutiveLocks: 0, lockedUntil: undefined }
  },

  /**
   * Ends a lock before its time; undefined without one. The lock still counts: only a success clears it, so the next one
   * lasts twice as long.
   *
   * @param reader the subject's entry, if there is one. An address that is suppressed gets no mail.
   */
  unlock(
    standing: SubjectStanding,
    reader: { readonly email: EmailAddress; readonly locale?: string | undefined } | undefined,
    now: Date,
  ): Unlocking | undefined {
    const { subjectUserId, lockedUntil } = standing
    if (!lockedUntil || !SubjectStanding.isLocked(standing, now)) return undefined
    const hearsOfIt = reader && !SubjectStanding.isSuppressed(standing, reader.email)
    return {
      standing: { ...standing, lockedUntil: undefined },
      ...(hearsOfIt && { notice: noticeTo(reader, subjectUserId, now) }),
      event: { type: 'subject-unlocked', subjectUserId, at: now, until: lockedUntil },
    }
  },

  /** How many codes the subject got in the last hour. */
  issuancesOfLastHour(standing: SubjectStanding, now: Date): number {
    return ofLastHour(standing, now).length
  },

  /** How many wrong codes the subject has left before a lock. */
  attemptsRemaining(standing: SubjectStanding, policy: StepUpPolicy, now: Date): number {
    if (SubjectStanding.isLocked(standing, now)) return 0
    return Math.max(1, policy.subjectMaxFailures - standing.consecutiveFailures)
  },

  /** Whether this address of the subject receives no mail. */
  isSuppressed({ suppression }: SubjectStanding, address: EmailAddress): boolean {
    return suppression?.address !== undefined && EmailAddress.isSameMailbox(suppression.address, address)
  },

  /** Suppresses an address. Returns the same standing if a later report is known already: the latest one counts. */
  suppress(standing: SubjectStanding, suppression: Suppression): SubjectStanding {
    const latest = standing.suppression
    const isNews =
      !latest ||
      suppression.at > latest.at ||
      (!latest.address && suppression.at.getTime() === latest.at.getTime())
    return isNews ? { ...standing, suppression } : standing
  },

  /** Lifts a suppression, with the same exception. */
  lift(standing: SubjectStanding, at: Date): SubjectStanding {
    const latest = standing.suppression
    return !latest || at > latest.at ? { ...standing, suppression: { address: undefined, at } } : standing
  },
}

function noticeTo(
  { email: recipient, locale }: { readonly email: EmailAddress; readonly locale?: string | undefined },
  subjectUserId: string,
  happenedAt: Date,
): SecurityNoticeDraft {
  const kind = 'subject-unlocked'
  return { kind, subjectUserId, recipient, happenedAt, ...(locale !== undefined && { locale }) }
}

function ofLastHour({ recentIssuances }: SubjectStanding, now: Date): readonly Date[] {
  return recentIssuances.filter((issuedAt) => now < secondsAfter(issuedAt, HOUR_IN_SECONDS))
}

/** When enough of the last hour's mails will be an hour old to allow another; undefined if the budget is not spent. */
function issuancesSpentUntil(standing: SubjectStanding, policy: StepUpPolicy, now: Date): Date | undefined {
  const decisive = ofLastHour(standing, now).at(-policy.subjectMaxIssuancesPerHour)
  return decisive && secondsAfter(decisive, HOUR_IN_SECONDS)
}

export class SubjectLocked extends DomainError {
  readonly code = 'subject-locked'
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`The subject is locked out of step-up for ${retryAfterInSeconds} more seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}

/** A budget of issuances is spent: the challenge's own, or the subject's of the last hour. */
export class IssuancesSpent extends DomainError {
  readonly code = 'issuances-spent'
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`No more codes for ${retryAfterInSeconds} seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}
