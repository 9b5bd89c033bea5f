import { DomainError } from './domain-error.ts'
import { EmailAddress } from './email-address.ts'
import { IDENTITY } from './identity.ts'

/** What the directory knows of a user. */
export interface User {
  readonly userId: string
  readonly email: EmailAddress
  /** BCP 47 language tag. */
  readonly locale?: string | undefined
  readonly displayName?: string | undefined
}

/** The same as somebody wrote it. */
export type UserDraft = {
  readonly [Field in keyof User]: User[Field] extends EmailAddress ? string : User[Field]
}

/** The shape of RFC 5646 §2.1, without a look into its registry. */
export const LANGUAGE_TAG = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/
export const MAX_LANGUAGE_TAG_LENGTH = 35
export const MAX_DISPLAY_NAME_LENGTH = 100
/** A name is one line of more than blanks: no controls, line separators or lone surrogates. */
export const ONE_LINE = /^(?=.*\S)[^\p{Cc}\p{Cs}\u2028\u2029]+$/u

export const User = {
  /** @throws {UserMalformed} naming the field. @throws {EmailAddressMalformed} */
  parse({ userId, email, locale, displayName }: UserDraft): User {
    if (!IDENTITY.test(userId))
      throw new UserMalformed('userId', 'must be 1 to 255 printable ASCII characters')
    if (locale !== undefined && (locale.length > MAX_LANGUAGE_TAG_LENGTH || !LANGUAGE_TAG.test(locale))) {
      throw new UserMalformed('locale', 'must be a language tag (BCP 47)')
    }
    if (
      displayName !== undefined &&
      (displayName.length > MAX_DISPLAY_NAME_LENGTH || !ONE_LINE.test(displayName))
    ) {
      throw new UserMalformed('displayName', `must be 1 to ${MAX_DISPLAY_NAME_LENGTH} printable characters`)
    }
    return { userId, email: EmailAddress.parse(email), locale, displayName: displayName?.trim() }
  },
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

/** The directory has no entry for the subject, or the mail system does not deliver to their address. */
export class UserUnreachable extends DomainError {
  readonly code = 'user-unreachable'
  constructor() {
    super('The subject has no usable e-mail address')
  }
}
