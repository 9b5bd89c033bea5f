import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  MailUnavailable,
  soleRecipient,
} from '../application/ports/mail-transport.ts'

/** RFC 2606 §3 reserves this domain, so no real user's mail bounces by mistake. */
const BOUNCING = /@bounce\.example$/i
/** Long enough to watch the mail while it is on its way. */
const BOUNCES_AFTER_MS = 500

/** Called, as a mail system would, when the mail of an issuance has bounced permanently. Must not reject. */
export type ReportBounce = (issuanceId: string) => Promise<void>

/**
 * Simulates bounces in development, where real mail never bounces. It accepts mails to addresses at bounce.example and reports a bounce
 * for each; it passes all other mails to the mailbox. Bounces that are still pending when the process ends are lost.
 */
export class BouncingAddresses implements MailTransport {
  readonly #mailbox: MailTransport
  readonly #reportBounce: ReportBounce
  readonly #pending = new Set<NodeJS.Timeout>()
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
        this.#pending.delete(timer)
        void this.#reportBounce(message.id)
      }, BOUNCES_AFTER_MS)
      this.#pending.add(timer)
    }
    return { transport: 'mailbox', messageId: undefined }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#pending) clearTimeout(timer)
    await this.#mailbox.close()
  }
}
