import { type CancelledChallenge, Challenge } from './challenge.ts'
import { DomainError } from './domain-error.ts'
import type { CancellationReason, ChallengeEvent, DomainEvent, SecurityNoticeKind } from './domain-event.ts'
import { EmailAddress } from './email-address.ts'
import { IDENTITY } from './identity.ts'
import { secondsAfter, secondsUntil } from './instant.ts'
import { LanguageTag } from './language-tag.ts'
import { type FailedLockNotice, LockNotice, type QueuedLockNotice } from './lock-notice.ts'
import type { SecurityNoticeDraft } from './security-notice.ts'
import type { StepUpPolicy } from './step-up-policy.ts'

/** A user's entry in the directory. */
export interface User {
  readonly userId: string
  readonly email: EmailAddress
  /** BCP 47 language tag. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
  /** When the address replaced another one, or came after one that was erased; undefined if it never did. */
  readonly emailChangedAt?: Date | undefined
}

/** An entry as it was sent, before it is checked. */
export type UserDraft = {
  readonly [Field in keyof Omit<User, 'emailChangedAt'>]: User[Field] extends EmailAddress
    ? string
    : User[Field]
}

/**
 * What a directory says about a user. Without a user: it has none of that id (`absent`), nobody may act as this one any more
 * (`disabled`), or no mail may go to them (`no-address`).
 */
export type Whereabouts =
  | { readonly user: User }
  | { readonly user: undefined; readonly because: 'absent' | 'disabled' | 'no-address' }

/** What follows from a change of a user's entry. It is stored with the change, whole or not at all. */
export interface UserDecision {
  readonly cancelled: readonly CancelledChallenge[]
  readonly withdrawn: readonly FailedLockNotice[]
  /** The mail that tells the address before, if the user has another one or none now. */
  readonly notice?: SecurityNoticeDraft
  readonly events: readonly DomainEvent[]
}

export const MAX_DISPLAY_NAME_LENGTH = 100
/** A name is one line that is not blank: no control characters, line separators or lone surrogates. */
export const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u

export const User = {
  /**
   * A locale that cannot be read is left out: a code in English is better than no user.
   *
   * @throws {UserMalformed} naming the field. @throws {EmailAddressMalformed}
   */
  parse({ userId, email, locale, displayName }: UserDraft): User {
    if (!IDENTITY.test(userId))
      throw new UserMalformed('userId', 'must be 1 to 255 printable ASCII characters')
    if (
      displayName !== undefined &&
      (displayName.length > MAX_DISPLAY_NAME_LENGTH || !ONE_LINE.test(displayName))
    ) {
      throw new UserMalformed('displayName', `must be 1 to ${MAX_DISPLAY_NAME_LENGTH} printable characters`)
    }
    return {
      userId,
      email: EmailAddress.parse(email),
      locale: locale === undefined ? undefined : LanguageTag.read(locale),
      displayName: displayName?.trim(),
    }
  },

  /** Whether the draft asks for a language that {@link parse} could not read. Its user gets English. */
  hasUnreadableLocale({ locale }: Pick<UserDraft, 'locale'>): boolean {
    return locale !== undefined && LanguageTag.read(locale) === undefined
  },

  /** What our own directory says. A user without an entry may get one yet: another service puts users there. */
  whereabouts(entry: User | undefined): Whereabouts {
    return entry ? { user: entry } : { user: undefined, because: 'no-address' }
  },

  /** Whether the change gives the user another mailbox. A new entry replaces no address. */
  changesAddress(previous: User | undefined, next: User): boolean {
    return previous !== undefined && !EmailAddress.isSameMailbox(previous.email, next.email)
  },

  /**
   * The entry that takes the place of the one before, and remembers when the user got another mailbox. Nobody knows the mailbox of an
   * entry that was erased, so what follows it counts as another one.
   *
   * @param erasedAt when an entry of the user was erased last; undefined if none was.
   */
  replacing(previous: User | undefined, next: User, erasedAt: Date | undefined, now: Date): User {
    const isAnotherMailbox = previous ? User.changesAddress(previous, next) : erasedAt !== undefined
    const emailChangedAt = isAnotherMailbox ? now : previous?.emailChangedAt
    return { ...next, ...(emailChangedAt && { emailChangedAt }) }
  },

  /** Until when the address gets no codes, because it replaced another one a short time ago; undefined if it gets them. */
  heldUntil({ emailChangedAt }: User, policy: StepUpPolicy, now: Date): Date | undefined {
    const until = emailChangedAt && secondsAfter(emailChangedAt, policy.addressHoldInSeconds)
    return until && now < until ? until : undefined
  },

  /** @throws {AddressHeld} */
  assertNotHeld(user: User, policy: StepUpPolicy, now: Date): void {
    const until = User.heldUntil(user, policy, now)
    if (until) throw new AddressHeld(secondsUntil(until, now))
  },

  /**
   * Creates or replaces an entry. Another address ends every live challenge of the user: no code may go, or count, where an
   * earlier address said.
   *
   * @param challenges of the user: at least the live ones. Those that are over stay as they ended.
   */
  changeEntry(
    previous: User | undefined,
    next: User,
    challenges: readonly Challenge[],
    now: Date,
  ): UserDecision {
    const emailAddressChanged = User.changesAddress(previous, next)
    const [cancelled, events] = emailAddressChanged
      ? cancelLive(challenges, 'email-address-changed', now)
      : [[], []]
    return {
      cancelled,
      withdrawn: [],
      ...(previous && emailAddressChanged && { notice: noticeOf('address-changed', previous, now) }),
      events: [...events, { type: 'user-put', subjectUserId: next.userId, at: now, emailAddressChanged }],
    }
  },

  /**
   * Ends every live challenge of the user, and every warning that has not been sent. An address hears that it was removed if a
   * challenge was live: somebody may have removed it to put their own.
   *
   * @param user their entry, or only their id without one: another directory may have it, and no address of ours was removed.
   * @param challenges of the user: at least the live ones. Those that are over stay as they ended.
   * @param tellsAddress whether the address hears of it without a live challenge, too.
   */
  erase(
    user: User | { readonly userId: string; readonly email?: undefined },
    challenges: readonly Challenge[],
    queuedNotices: readonly QueuedLockNotice[],
    now: Date,
    tellsAddress: boolean,
  ): UserDecision {
    const { userId } = user
    const [cancelled, cancellations] = cancelLive(challenges, 'user-erased', now)
    const withdrawals = queuedNotices.map((notice) => LockNotice.fail(notice, 'user-erased', now))
    const hearsOfIt = user.email !== undefined && (tellsAddress || cancelled.length > 0)
    return {
      cancelled,
      ...(hearsOfIt && { notice: noticeOf('address-removed', user, now) }),
      withdrawn: withdrawals.map(([notice]) => notice),
      events: [
        ...cancellations,
        ...withdrawals.flatMap(([, events]) => events),
        { type: 'user-erased', subjectUserId: userId, at: now },
      ],
    }
  },
}

/** In the language of the entry that goes: the author of the next one may have chosen another. */
function noticeOf(
  kind: SecurityNoticeKind,
  { userId: subjectUserId, email: recipient, locale }: User,
  happenedAt: Date,
): SecurityNoticeDraft {
  return { kind, subjectUserId, recipient, happenedAt, ...(locale !== undefined && { locale }) }
}

function cancelLive(
  challenges: readonly Challenge[],
  reason: CancellationReason,
  now: Date,
): [CancelledChallenge[], ChallengeEvent[]] {
  const cancellations = challenges
    .filter((challenge) => Challenge.isLive(challenge, now))
    .map((challenge) => Challenge.cancel(challenge, reason, now))
  return [cancellations.map(([challenge]) => challenge), cancellations.map(([, event]) => event)]
}

export class UserMalformed extends DomainError {
  readonly code = 'user-malformed'
  readonly field: string
  constructor(field: keyof User, rule: string) {
    super(rule)
    this.field = field
  }
}

export class UserNotFound extends DomainError {
  readonly code = 'user-not-found'
  constructor() {
    super('There is no such user')
  }
}

/** The address replaced another one a short time ago, and gets no codes yet. */
export class AddressHeld extends DomainError {
  readonly code = 'address-held'
  readonly retryAfterInSeconds: number
  constructor(retryAfterInSeconds: number) {
    super(`The new address gets no codes for ${retryAfterInSeconds} seconds`)
    this.retryAfterInSeconds = retryAfterInSeconds
  }
}

/** The directory has no entry for the subject, or the mail system does not deliver to their address. */
export class UserUnreachable extends DomainError {
  readonly code = 'user-unreachable'
  constructor() {
    super('The subject has no usable e-mail address')
  }
}
