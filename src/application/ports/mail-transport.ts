import { EmailAddress } from '../../domain/email-address.ts'

/** A mail ready to be sent. */
export interface MailMessage {
  /** Random id of the issuance or lock notice; with the kind the only thing a provider may be told besides the mail itself. */
  readonly id: string
  readonly kind: 'otp' | 'lock-notice'
  /** The end of the code or lock. Whoever tries to send it over again does not begin to from then on. */
  readonly expiresAt: Date
  readonly to: EmailAddress
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface MailReceipt {
  /** Who took it, by the name it has in the configuration. */
  readonly transport: string
  /** The mail system's own id of the mail, where it gives one. */
  readonly messageId: string | undefined
}

/** Hands mails to a mail system. */
export abstract class MailTransport {
  /**
   * Resolves once the mail system has taken the mail over, within ten seconds in any case, or twenty where there is
   * another one to fall back on. What goes out twice is the same mail, under the same {@link messageIdOf}.
   *
   * @throws {MailRefused} if it will never take this mail, for what the mail is: its recipient or its content.
   * @throws {MailUnavailable} if it did not take it now, or will not take any of ours: a sender or a credential can
   *   be put right.
   * @throws {MailOutcomeUnknown} if it was given the mail and did not say.
   */
  abstract send(message: MailMessage): Promise<MailReceipt>

  /** Lets go of connections; nothing is sent afterwards. */
  abstract close(): Promise<void>
}

/** The message of none of these errors holds an address, the content or a credential: they end in logs. */
export class MailRefused extends Error {}

/** It takes no mail for this recipient any more, whatever the mail: the address bounced, or its owner complained. */
export class RecipientSuppressed extends MailRefused {}

/** The mail has not gone out. */
export class MailUnavailable extends Error {}

/** The mail may have gone out, so to hand it over once more may be to send it twice. */
export class MailOutcomeUnknown extends MailUnavailable {}

/**
 * `to`, checked once more at the last door before a mail system: a comma or a line feed in it would be a second recipient
 * of the code.
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
 * RFC 5322 §3.6.4, the same for every attempt over every transport: a mail that went out twice is one mail to
 * programs that compare.
 */
export function messageIdOf(mailId: string, senderDomain: string): string {
  return `<${mailId}@${senderDomain}>`
}
