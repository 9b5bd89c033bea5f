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
import type { Sender } from '../../domain/brand.ts'
import { type DkimKeyOfDomain, dkimSigner } from './dkim-signer.ts'
import { mailContent } from './mail-content.ts'
import { type SmtpConnection, smtpConnection } from './smtp-connection.ts'
import { smtpFailure } from './smtp-failure.ts'
import type { SmtpOptions } from './smtp-options.ts'
import { type SmtpSender, smtpSender } from './smtp-sender.ts'

const TIMEOUT_IN_MS = 9000
/** Without a request there is no notice of success, and that of a delay is up to the server. */
const NOTICES = ['success', 'failure', 'delay']

/** What is made of a sender, once for each. */
interface Identity {
  readonly sender: SmtpSender
  readonly contentOf: ReturnType<typeof mailContent>
  readonly sign: ReturnType<typeof dkimSigner> | undefined
}

/** Sends mails through an SMTP server (RFC 5321) over a pool of connections. */
export class SmtpMailTransport implements MailTransport {
  readonly #standard: Identity
  /** Those of senders that mails bring along. */
  readonly #identities = new WeakMap<Sender, Identity>()
  readonly #dkimKeys: readonly DkimKeyOfDomain[]
  readonly #bounceAddresses: BounceAddresses | undefined
  readonly #timeoutInMs: number
  readonly #mailer: ReturnType<typeof pooled>
  /**
   * The content of each mail that is being sent. The key is the signal that nodemailer got with it. nodemailer reads the
   * content only once the server asks for it.
   */
  readonly #contents = new WeakMap<AbortSignal, Readable>()

  /** @throws {TypeError} if an option cannot be used; it does not repeat the option. */
  constructor(options: SmtpOptions) {
    const { from, replyTo, dkimKeys = [], bounceAddresses, timeoutInMs = TIMEOUT_IN_MS } = options
    this.#dkimKeys = dkimKeys
    this.#standard = this.#identity({ from, replyTo })
    this.#bounceAddresses = bounceAddresses
    this.#timeoutInMs = timeoutInMs
    this.#mailer = pooled(smtpConnection(options, this.#standard.sender))
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
    const { sender, contentOf, sign } = this.#identityOf(message.sender)
    const bounceAddress =
      message.kind === 'otp' ? this.#bounceAddresses?.of(message.id, message.sender?.bounceDomain) : undefined
    const messageId = messageIdOf(message.id, sender.domain)
    // Not `AbortSignal.timeout`: its timer outlives the send and costs time for each mail.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), this.#timeoutInMs)
    try {
      const content = contentOf(message, messageId, new Date())
      await this.#mailer.sendMail({
        envelope: { from: bounceAddress ?? sender.address, to },
        // A notice then returns no content, and so no valid code (RFC 3461). Left out for a server without DSN.
        dsn: { return: 'headers', id: message.id, ...(bounceAddress && { notify: NOTICES }) },
        messageId,
        raw: sign ? await sign(content) : content,
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

  #identityOf(sender: Sender | undefined): Identity {
    if (sender === undefined) return this.#standard
    const known = this.#identities.get(sender) ?? this.#identity(sender)
    this.#identities.set(sender, known)
    return known
  }

  #identity({ from, replyTo }: Sender): Identity {
    const sender = smtpSender(from)
    const key = this.#dkimKeys.find(({ domain }) => domain === sender.domain.toLowerCase())
    return {
      sender,
      contentOf: mailContent(sender, replyTo === undefined ? undefined : smtpSender(replyTo)),
      sign: key && dkimSigner(key, sender.domain),
    }
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
