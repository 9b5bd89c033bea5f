import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  messageIdOf,
  soleRecipient,
} from '../../application/ports/mail-transport.ts'
import { type SmtpConnection, smtpConnection } from './smtp-connection.ts'
import { smtpFailure } from './smtp-failure.ts'
import type { SmtpOptions } from './smtp-options.ts'
import { type SmtpSender, smtpSender } from './smtp-sender.ts'

const TIMEOUT_IN_MS = 9000

/** Sends mails through an SMTP server (RFC 5321) over a pool of connections. */
export class SmtpMailTransport implements MailTransport {
  readonly #sender: SmtpSender
  readonly #replyTo: SmtpSender | undefined
  readonly #timeoutInMs: number
  readonly #mailer: ReturnType<typeof pooled>
  /**
   * The content of each mail that is being sent. The key is the signal that nodemailer got with it. nodemailer reads the
   * content only once the server asks for it.
   */
  readonly #contents = new WeakMap<AbortSignal, Readable>()

  /** @throws {TypeError} if an option cannot be used; it does not repeat the option. */
  constructor(options: SmtpOptions) {
    const { from, replyTo, timeoutInMs = TIMEOUT_IN_MS } = options
    this.#sender = smtpSender(from)
    this.#replyTo = replyTo === undefined ? undefined : smtpSender(replyTo)
    this.#timeoutInMs = timeoutInMs
    this.#mailer = pooled(smtpConnection(options, this.#sender))
    this.#mailer.use('stream', ({ data, message }, done) => {
      message.processFunc((content) => {
        this.#contents.set(data.signal!, content)
        return content
      })
      done()
    })
  }

  async send({ id, to, subject, text, html }: MailMessage): Promise<MailReceipt> {
    const recipient = soleRecipient(to)
    // Not `AbortSignal.timeout`: its timer outlives the send and costs time for each mail.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), this.#timeoutInMs)
    try {
      const { messageId } = await this.#mailer.sendMail({
        envelope: { from: this.#sender.address, to: recipient },
        from: this.#sender,
        ...(this.#replyTo && { replyTo: this.#replyTo }),
        to: { name: '', address: recipient },
        subject,
        text,
        html,
        messageId: messageIdOf(id, this.#sender.domain),
        headers: {
          // RFC 3834 §5. Exchange obeys the second.
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
        },
        signal: limit.signal,
      })
      return { transport: 'smtp', messageId }
    } catch (error) {
      throw smtpFailure(error, this.#contents.get(limit.signal)?.readableDidRead ?? false)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets mails that are being sent finish. */
  async close(): Promise<void> {
    this.#mailer.close()
  }
}

function pooled(connection: SmtpConnection) {
  return createTransport({
    pool: true,
    ...connection,
    // Replaces a connection that the server has dropped, once. The outbox does all other retries.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}
