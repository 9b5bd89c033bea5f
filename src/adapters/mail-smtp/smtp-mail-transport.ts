import type { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  messageIdOf,
  soleRecipient,
} from '../../application/ports/mail-transport.ts'
import { smtpFailure } from './smtp-failure.ts'
import { type SmtpSender, smtpSender } from './smtp-sender.ts'
import { smtpServer } from './smtp-server.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:587` or `smtps://user:password@host:465`, with percent-encoded user and password. */
  readonly url: string
  /** One mailbox, with or without a name: `Countersign <no-reply@bank.example>`. */
  readonly from: string
  /** After this time the transport gives up on a mail that the server has not accepted, as the port promises. */
  readonly timeoutInMs?: number
}

const TIMEOUT_IN_MS = 9000

/** Sends mails through an SMTP server (RFC 5321) over a pool of connections. */
export class SmtpMailTransport implements MailTransport {
  readonly #sender: SmtpSender
  readonly #timeoutInMs: number
  readonly #mailer: ReturnType<typeof pooled>
  /**
   * The content of each mail that is being sent. The key is the signal that nodemailer got with it. nodemailer reads the
   * content only once the server asks for it.
   */
  readonly #contents = new WeakMap<AbortSignal, Readable>()

  /** @throws {TypeError} if `url` or `from` cannot be used; it does not repeat them. */
  constructor({ url, from, timeoutInMs = TIMEOUT_IN_MS }: SmtpOptions) {
    this.#sender = smtpSender(from)
    this.#timeoutInMs = timeoutInMs
    this.#mailer = pooled(url)
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

function pooled(url: string) {
  return createTransport({
    pool: true,
    ...smtpServer(url),
    // Replaces a connection that the server has dropped, once. The outbox does all other retries.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}
