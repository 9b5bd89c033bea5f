import { DomainError } from './domain-error.ts'

/** Exactly one mailbox, safe to put into an envelope: no display name, list, comment, quote or control character. */
export type EmailAddress = string & { readonly __brand: 'EmailAddress' }

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
/**
 * The dot-atom form of RFC 5321 §4.1.2 with a domain of two labels or more. An internationalised domain is written as its
 * A-labels.
 */
export const ADDR_SPEC = new RegExp(`^${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}$`)
/** A local part has at most 64 octets (RFC 5321 §4.5.3.1.1). */
export const MAX_LOCAL_PART = 64
/** A path has at most 256 octets (RFC 5321 §4.5.3.1.3), and its angle brackets take two. */
export const MAX_ADDRESS = 254
/** Takes the place of an address that has to be forgotten. No mail can reach it: `.invalid` never resolves (RFC 2606 §2). */
export const ERASED_ADDRESS = 'erased@erased.invalid' as EmailAddress

export const EmailAddress = {
  /** @throws {EmailAddressMalformed} if `text` is anything but one plain address. */
  parse(text: string): EmailAddress {
    if (text.length > MAX_ADDRESS || text.indexOf('@') > MAX_LOCAL_PART || !ADDR_SPEC.test(text)) {
      throw new EmailAddressMalformed()
    }
    return text as EmailAddress
  },

  /**
   * Whether mail to one address reaches the mailbox of the other. The case of a domain says nothing (RFC 4343). That of a local
   * part may (RFC 5321 §2.4), and only its host knows.
   */
  isSameMailbox(one: EmailAddress, other: EmailAddress): boolean {
    return withDomainInLowerCase(one) === withDomainInLowerCase(other)
  },

  /** What an app may show to the user who waits for the mail: the first character and the domain, `a•••@example.com`. */
  mask(address: EmailAddress): string {
    return `${address.slice(0, 1)}•••${address.slice(address.lastIndexOf('@'))}`
  },
}

function withDomainInLowerCase(address: EmailAddress): string {
  const at = address.lastIndexOf('@')
  return address.slice(0, at) + address.slice(at).toLowerCase()
}

/** The message does not repeat the text: even a wrong address is personal data, and errors are logged. */
export class EmailAddressMalformed extends DomainError {
  readonly code = 'email-address-malformed'
  constructor() {
    super('Not one plain e-mail address')
  }
}
