import type { Sender } from '../../domain/brand.ts'
import { EmailAddress } from '../../domain/email-address.ts'

/** A mail ready to be sent. */
export interface MailMessage {
  /** Random id of the issuance or lock notice. Besides the mail itself, a provider gets only this and the kind. */
  readonly id: string
  readonly kind: 'otp' | 'lock-notice' | 'security-notice'
  /** The end of the code or lock. No further attempt to send starts after it. */
  readonly expiresAt: Date
  /** Undefined: the sender that the mail system is configured with. */
  readonly sender?: Sender | undefined
  readonly to: EmailAddress
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** What a composer writes of a mail. */
export type ComposedMail = Pick<MailMessage, 'sender' | 'subject' | 'text' | 'html'>

export interface MailReceipt {
  /** The transport that accepted it, by its name in the configuration. */
  readonly transport: string
  /** The mail system's own id for the mail, if it gives one. */
  readonly messageId: string | undefined
}

/** Sends mails through a mail system. */
export abstract class MailTransport {
  /**
   * Resolves once the mail system has accepted the mail. Settles within ten seconds, or twenty if there is another mail
   * system to fall back on. A mail that is sent twice has the same {@link messageIdOf} both times.
   *
   * @throws {MailRefused} if the mail system will never accept this mail, because of its recipient or its content.
   * @throws {MailUnavailable} if it did not accept the mail now, or accepts none of our mails: an operator can correct a
   *   sender or a credential.
   * @throws {MailOutcomeUnknown} if it received the mail and did not answer.
   */
  abstract send(message: MailMessage): Promise<MailReceipt>

  /** Closes the connections. Nothing is sent afterwards. */
  abstract close(): Promise<void>
}

/** No message or reply of these errors contains an address, the content or a credential, because errors are logged. */
export class MailRefused extends Error {
  readonly reply: string | undefined
  constructor(message: string, { reply, ...options }: MailFailure = {}) {
    super(message, options)
    this.reply = reply
  }
}

/** The mail system accepts no mail at all for this recipient: the address bounced, or its owner complained. */
export class RecipientSuppressed extends MailRefused {}

/** The mail was not sent. */
export class MailUnavailable extends Error {
  readonly reply: string | undefined
  constructor(message: string, { reply, ...options }: MailFailure = {}) {
    super(message, options)
    this.reply = reply
  }
}

interface MailFailure extends ErrorOptions {
  /** What the mail system replied, in codes only: `smtp RCPT 451 4.7.1`, `postmark 422/405`. The audit trail keeps it. */
  readonly reply?: string | undefined
}

/** The mail may have been sent, so another attempt may send it twice. */
export class MailOutcomeUnknown extends MailUnavailable {}

/**
 * Checks `to` once more, directly before the mail system gets it: a comma or a line feed would add a second recipient of the
 * code.
 *
 * @throws {MailRefused}
 */
export function soleRecipient(to: EmailAddress): EmailAddress {
  try {
    return EmailAddress.parse(to)
  } catch {
    throw new MailRefused('The recipient is not one plain address')
  }
}

/**
 * The Message-ID of a mail (RFC 5322 §3.6.4). It is the same for every attempt over every transport, so that mail programs
 * can recognise a mail that was sent twice.
 */
export function messageIdOf(mailId: string, senderDomain: string): string {
  return `<${mailId}@${senderDomain}>`
}
