import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  MailUnavailable,
  soleRecipient,
} from '../application/ports/mail-transport.ts'

/** Nobody's by RFC 2606 §3, so nobody's mails come back by mistake. */
const BOUNCING = /@bounce\.example$/i
/** Long enough to be seen on its way. */
const BOUNCES_AFTER_MS = 500

/** Is told, as by a mail system, that the mail of an issuance came back for good. Must not reject. */
export type ReportBounce = (issuanceId: string) => Promise<void>

/**
 * In a development set-up, where no mail ever comes back: takes the mails to addresses at bounce.example like any other, has them
 * come back, and hands the rest to the mailbox. Of what is on its way when the process ends nothing is heard any more.
 */
export class BouncingAddresses implements MailTransport {
  readonly #mailbox: MailTransport
  readonly #reportBounce: ReportBounce
  readonly #underWay = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(mailbox: MailTransport, reportBounce: ReportBounce) {
    this.#mailbox = mailbox
    this.#reportBounce = reportBounce
  }

  async send(message: MailMessage): Promise<MailReceipt> {
    if (!BOUNCING.test(soleRecipient(message.to))) return this.#mailbox.send(message)
    if (this.#closed) throw new MailUnavailable('The mailbox is closed')
    if (message.kind === 'otp') {
      const timer = setTimeout(() => {
        this.#underWay.delete(timer)
        void this.#reportBounce(message.id)
      }, BOUNCES_AFTER_MS)
      this.#underWay.add(timer)
    }
    return { transport: 'mailbox', messageId: undefined }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#underWay) clearTimeout(timer)
    await this.#mailbox.close()
  }
}
