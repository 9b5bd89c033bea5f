import { DomainError } from './domain-error.ts'

/** Exactly one mailbox, safe to put into an envelope: no display name, list, comment, quote or control character. */
export type EmailAddress = string & { readonly __brand: 'EmailAddress' }

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
/**
 * The dot-atom form of RFC 5321 §4.1.2 with a domain of two labels or more; an internationalised domain comes as its A-labels. A
 * local part has 64 octets at most (RFC 5321 §4.5.3.1.1).
 */
export const ADDR_SPEC = new RegExp(`^(?=[^@]{1,64}@)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}$`)
/** What a path of 256 octets leaves (RFC 5321 §4.5.3.1.3). */
export const MAX_ADDRESS = 254
/** Takes the place of an address that has to be forgotten. No mail can reach it: `.invalid` never resolves (RFC 2606 §2). */
export const ERASED_ADDRESS = 'erased@erased.invalid' as EmailAddress

export const EmailAddress = {
  /** @throws {EmailAddressMalformed} if `text` is anything but one plain address. */
  parse(text: string): EmailAddress {
    if (text.length > MAX_ADDRESS || !ADDR_SPEC.test(text)) {
      throw new EmailAddressMalformed()
    }
    return text as EmailAddress
  },

  /** What may be shown to whoever waits for the mail: the first character and the domain, `a•••@example.com`. */
  mask(address: EmailAddress): string {
    return `${address.slice(0, 1)}•••${address.slice(address.lastIndexOf('@'))}`
  },
}

/** Does not repeat the text: an address, even a wrong one, is personal data and errors end in logs. */
export class EmailAddressMalformed extends DomainError {
  readonly code = 'email-address-malformed'
  constructor() {
    super('Not one plain e-mail address')
  }
}
