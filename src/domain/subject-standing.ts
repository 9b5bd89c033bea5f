import { DomainError } from './domain-error.ts'
import type { SuppressionReason } from './domain-event.ts'
import type { EmailAddress } from './email-address.ts'
import { later, secondsAfter, secondsUntil } from './instant.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/**
 * What is held against one subject over all their challenges: failures in a row, locks, and mails of the
 * last hour. A new challenge or a resend never clears it; only a success does.
 */
export interface SubjectStanding {
  readonly subjectUserId: string
  /** Wrong codes since the last success or lock. */
  readonly consecutiveFailures: number
  /** Locks since the last success; each doubles the next. */
  readonly consecutiveLocks: number
  readonly lockedUntil: Date | undefined
  /** When codes were issued, oldest first; what is older than an hour is dropped at the next issuance. */
  readonly recentIssuances: readonly Date[]
  /** The latest word on the subject's address; undefined if there never was one. */
  readonly suppression: Suppression | LiftedSuppression | undefined
  /**
   * How often anything of this subject was decided. A save is refused when another decision came first: the
   * subject is the unit of concurrency, so one version guards standing, challenge and issuance together.
   */
  readonly version: number
}

/** An address that no mail goes to, and since when. To any other address of the subject mails go as before. */
interface Suppression {
  readonly address: EmailAddress
  readonly reason: SuppressionReason
  readonly at: Date
}

/** Mails go out again. Kept, so that older news which come in late are known for what they are. */
interface LiftedSuppression {
  readonly address: undefined
  readonly at: Date
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

  /** Counts one more mail. @throws {IssuancesSpent} if the last hour had its fill. */
  countIssuance(standing: SubjectStanding, policy: StepUpPolicy, now: Date): SubjectStanding {
    const spentUntil = issuancesSpentUntil(standing, policy, now)
    if (spentUntil) throw new IssuancesSpent(secondsUntil(spentUntil, now))
    return { ...standing, recentIssuances: [...ofLastHour(standing, now), now] }
  },

  /** Until when a lock or the hour's budget stands against another code; undefined if nothing does. */
  issuanceBarredUntil(standing: SubjectStanding, policy: StepUpPolicy, now: Date): Date | undefined {
    const lockedUntil = SubjectStanding.isLocked(standing, now) ? standing.lockedUntil : undefined
    const spentUntil = issuancesSpentUntil(standing, policy, now)
    return lockedUntil && spentUntil ? later(lockedUntil, spentUntil) : (lockedUntil ?? spentUntil)
  },

  /** Counts one wrong code; the last one allowed in a row locks the subject, twice as long as the time before. */
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

  /** A right code clears failures and locks. */
  succeed(standing: SubjectStanding): SubjectStanding {
    return { ...standing, consecutiveFailures: 0, consecutiveLocks: 0, lockedUntil: undefined }
  },

  /** Wrong codes the subject can still give before a lock. */
  attemptsRemaining(standing: SubjectStanding, policy: StepUpPolicy, now: Date): number {
    if (SubjectStanding.isLocked(standing, now)) return 0
    return Math.max(1, policy.subjectMaxFailures - standing.consecutiveFailures)
  },

  /** Whether the mail system would not send to this address of the subject. */
  isSuppressed({ suppression }: SubjectStanding, address: EmailAddress): boolean {
    return suppression?.address === address
  },

  /** Takes an address out of use, unless that is old news: the latest word counts, and the standing itself comes back. */
  suppress(standing: SubjectStanding, suppression: Suppression): SubjectStanding {
    const latest = standing.suppression
    const isNews =
      !latest ||
      suppression.at > latest.at ||
      (!latest.address && suppression.at.getTime() === latest.at.getTime())
    return isNews ? { ...standing, suppression } : standing
  },

  /** Lets mails out again, with the same exception. */
  lift(standing: SubjectStanding, at: Date): SubjectStanding {
    const latest = standing.suppression
    return !latest || at > latest.at ? { ...standing, suppression: { address: undefined, at } } : standing
  },
}

function ofLastHour({ recentIssuances }: SubjectStanding, now: Date): readonly Date[] {
  return recentIssuances.filter((issuedAt) => now < secondsAfter(issuedAt, HOUR_IN_SECONDS))
}

/** When enough of the last hour's mails will be an hour old; undefined if its budget is not spent. */
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
