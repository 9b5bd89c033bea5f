import { DomainError } from './domain-error.ts'
import { DomainName } from './domain-name.ts'

/**
 * Exactly one mailbox, safe to put into an envelope: no display name, list, comment, quote or control character. Only ASCII:
 * an internationalised domain is written as its A-labels.
 */
export type EmailAddress = string & { readonly __brand: 'EmailAddress' }

/**
 * The one form by which addresses are compared. All spellings of an address have the same key. Mail always goes to the address as
 * it was given.
 */
export type MailboxKey = string & { readonly __brand: 'MailboxKey' }

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const LOCAL_PART = `${ATOM}(?:\\.${ATOM})*`
/** A local part has at most 64 octets (RFC 5321 §4.5.3.1.1). */
export const MAX_LOCAL_PART = 64
/** The dot-atom form of RFC 5321 §4.1.2 with a domain of two labels or more. */
const ADDR_SPEC = new RegExp(`^${LOCAL_PART}@(?:${LABEL}\\.)+${LABEL}$`)

/** The dots of UTS #46 §4, by which people separate labels in their own script. */
const DOT = '[.\u3002\uff0e\uff61]'
const BEYOND_ASCII = '[^\\x00-\\x7f\u3002\uff0e\uff61]'
const OUTER = '[^\\x00-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f\u3002\uff0e\uff61]'
const INNER = '[^\\x00-\\x2c\\x2e\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f\u3002\uff0e\uff61]'
const INTERNATIONAL_LABEL = `(?:[A-Za-z0-9][A-Za-z0-9-]*)?${BEYOND_ASCII}(?:${INNER}*${OUTER})?`
const ANY_LABEL = `(?:${LABEL}|${INTERNATIONAL_LABEL})`
/** The form of an address before its domain is written as A-labels. Not every text of this form has such a domain. */
export const ADDRESS_AS_WRITTEN = new RegExp(`^${LOCAL_PART}@(?:${ANY_LABEL}${DOT})+${ANY_LABEL}$`)
/** A path has at most 256 octets (RFC 5321 §4.5.3.1.3), and its angle brackets take two. */
export const MAX_ADDRESS = 254
/** Takes the place of an address that has to be forgotten. No mail can reach it: `.invalid` never resolves (RFC 2606 §2). */
export const ERASED_ADDRESS = 'erased@erased.invalid' as EmailAddress

export const EmailAddress = {
  /**
   * Writes an internationalised domain as its A-labels, so that every mail system can use the address, and every spelling of
   * the domain gives the same address.
   *
   * @throws {EmailAddressMalformed} if `text` is anything but one plain address.
   */
  parse(text: string): EmailAddress {
    const at = text.lastIndexOf('@')
    if (text.length > MAX_ADDRESS || at === -1 || at > MAX_LOCAL_PART) throw new EmailAddressMalformed()
    const localPart = text.slice(0, at)
    const domain = DomainName.toAscii(text.slice(at + 1))
    if (domain === undefined) {
      throw new EmailAddressMalformed('The domain of the address is not a domain name (UTS #46)')
    }
    const address = `${localPart}@${domain}`
    if (address.length <= MAX_ADDRESS && ADDR_SPEC.test(address)) return address as EmailAddress

    throw new EmailAddressMalformed(
      /\P{ASCII}/u.test(localPart) ? 'The part of the address before the @ must be ASCII' : undefined,
    )
  },

  /**
   * The address in lower case. The case of a domain says nothing (RFC 4343). That of a local part could (RFC 5321 §2.4), but mail
   * systems ignore it. A tag (`alice+bank`) and a dot stay: whether they name another mailbox, only the host knows.
   */
  mailboxKey(address: EmailAddress): MailboxKey {
    return address.toLowerCase() as MailboxKey
  },

  /** Whether mail to one address reaches the mailbox of the other. */
  isSameMailbox(one: EmailAddress, other: EmailAddress): boolean {
    return EmailAddress.mailboxKey(one) === EmailAddress.mailboxKey(other)
  },

  /**
   * The mailbox that a mail system names in a report. It may write what {@link parse} refuses: needless quotes, and the dot at the end
   * of a domain. Undefined if the text names no mailbox that this service sends to.
   */
  mailboxNamed(text: string): MailboxKey | undefined {
    const bare = text
      .replace(/^"((?:[^"\\]|\\.)*)"(?=@)/, (_, quoted: string) => quoted.replaceAll(/\\(.)/g, '$1'))
      .replace(/\.$/, '')
    try {
      return EmailAddress.mailboxKey(EmailAddress.parse(bare))
    } catch (error) {
      if (error instanceof EmailAddressMalformed) return undefined
      throw error
    }
  },

  /** What an app may show to the user who waits for the mail: the first character and the domain, `a•••@example.com`. */
  mask(address: EmailAddress): string {
    return `${address.slice(0, 1)}•••${address.slice(address.lastIndexOf('@'))}`
  },
}

/** The message does not repeat the text: even a wrong address is personal data, and errors are logged. */
export class EmailAddressMalformed extends DomainError {
  readonly code = 'email-address-malformed'
  constructor(rule = 'Not one plain e-mail address') {
    super(rule)
  }
}
