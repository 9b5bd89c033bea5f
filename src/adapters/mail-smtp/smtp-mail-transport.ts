import { Readable } from 'node:stream'
import { createTransport } from 'nodemailer'
import {
  type MailMessage,
  type MailReceipt,
  type MailTransport,
  messageIdOf,
  soleRecipient,
} from '../../application/ports/mail-transport.ts'
import type { BounceAddresses } from '../../contracts/bounce-addresses.ts'
import { dkimSigner } from './dkim-signer.ts'
import { mailContent } from './mail-content.ts'
import { type SmtpConnection, smtpConnection } from './smtp-connection.ts'
import { smtpFailure } from './smtp-failure.ts'
import type { SmtpOptions } from './smtp-options.ts'
import { type SmtpSender, smtpSender } from './smtp-sender.ts'

const TIMEOUT_IN_MS = 9000
/** Without a request there is no notice of success, and that of a delay is up to the server. */
const NOTICES = ['success', 'failure', 'delay']

/** Sends mails through an SMTP server (RFC 5321) over a pool of connections. */
export class SmtpMailTransport implements MailTransport {
  readonly #sender: SmtpSender
  readonly #bounceAddresses: BounceAddresses | undefined
  readonly #timeoutInMs: number
  readonly #contentOf: ReturnType<typeof mailContent>
  readonly #sign: ReturnType<typeof dkimSigner> | undefined
  readonly #mailer: ReturnType<typeof pooled>
  /**
   * The content of each mail that is being sent. The key is the signal that nodemailer got with it. nodemailer reads the
   * content only once the server asks for it.
   */
  readonly #contents = new WeakMap<AbortSignal, Readable>()

  /** @throws {TypeError} if an option cannot be used; it does not repeat the option. */
  constructor(options: SmtpOptions) {
    const { from, replyTo, dkimKey, bounceAddresses, timeoutInMs = TIMEOUT_IN_MS } = options
    this.#sender = smtpSender(from)
    this.#bounceAddresses = bounceAddresses
    this.#timeoutInMs = timeoutInMs
    this.#contentOf = mailContent(this.#sender, replyTo === undefined ? undefined : smtpSender(replyTo))
    this.#sign = dkimKey && dkimSigner(dkimKey, this.#sender.domain)
    this.#mailer = pooled(smtpConnection(options, this.#sender))
    // Called again if a connection was lost before the server asked for the content.
    this.#mailer.use('stream', ({ data, message }, done) => {
      message.createReadStream = () => {
        const content = Readable.from([data.raw])
        this.#contents.set(data.signal!, content)
        return content
      }
      done()
    })
  }

  async send(message: MailMessage): Promise<MailReceipt> {
    const to = soleRecipient(message.to)
    const bounceAddress = message.kind === 'otp' ? this.#bounceAddresses?.of(message.id) : undefined
    const messageId = messageIdOf(message.id, this.#sender.domain)
    // Not `AbortSignal.timeout`: its timer outlives the send and costs time for each mail.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), this.#timeoutInMs)
    try {
      const content = this.#contentOf(message, messageId, new Date())
      await this.#mailer.sendMail({
        envelope: { from: bounceAddress ?? this.#sender.address, to },
        // A notice then returns no content, and so no valid code (RFC 3461). Left out for a server without DSN.
        dsn: { return: 'headers', id: message.id, ...(bounceAddress && { notify: NOTICES }) },
        messageId,
        raw: this.#sign ? await this.#sign(content) : content,
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
