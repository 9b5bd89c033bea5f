import { EmailAddress } from '../../domain/email-address.ts'
import type { MailMessage } from './otp-mail-composer.ts'

export interface MailReceipt {
  /** The mail system's own id of the mail, where it gives one. */
  readonly messageId: string | undefined
}

/** Hands mails to a mail system. */
export abstract class MailTransport {
  /**
   * Resolves once the mail system has taken the mail over, within ten seconds in any case.
   *
   * @throws {MailRefused} if it will never take this mail, for what the mail is: its recipient or its content.
   * @throws {MailUnavailable} if it did not take it now, or did not say (the mail may have gone out), or will not take
   *   any of ours: a sender or a credential can be put right.
   */
  abstract send(message: MailMessage): Promise<MailReceipt>

  /** Lets go of connections; nothing is sent afterwards. */
  abstract close(): Promise<void>
}

/** The message of neither error holds an address, the content or a credential: both end in logs. */
export class MailRefused extends Error {}
export class MailUnavailable extends Error {}

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
