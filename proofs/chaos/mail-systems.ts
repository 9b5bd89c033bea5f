import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { codeIn } from '../../test/journeys/client.ts'
import { type CountingInbox, countingInbox } from '../../test/support/counting-inbox.ts'

/** A mail that one of the two has accepted, whether or not the sender gets the answer. */
export interface TakenMail {
  readonly by: 'postmark' | 'smtp'
  /** The id of its issuance, or of its lock notice, which has no code. */
  readonly mailId: string
  readonly code: string | undefined
}

interface PostmarkMail {
  readonly TextBody: string
  readonly Metadata: { readonly issuance?: string; readonly notice?: string }
}

/** A Postmark and an SMTP server, whose behaviour can change while the service runs. */
export class MailSystems {
  /** Postmark accepts each mail, refuses it for its content, or is out of order. */
  postmark: 'takes' | 'refuses' | 'fails' = 'takes'
  /** The SMTP server accepts each mail, or defers it. */
  smtp: 'takes' | 'fails' = 'takes'
  /** Whether Postmark reports the accepted mails as delivered. */
  reports = true
  /** The codes of accepted mails, by issuance. */
  readonly codes = new Map<string, string>()
  readonly #report: (report: object) => Promise<void>
  readonly #taken: (mail: TakenMail) => Promise<void>
  readonly #api = createServer((request, response) => {
    // A sender that is killed in the middle of a request leaves no mail.
    this.#answer(request, response).catch(() => response.destroy())
  })
  #inbox: CountingInbox | undefined

  /**
   * @param report sends a report to the service, as Postmark does.
   * @param taken is called for each mail before its sender gets the answer.
   */
  constructor(
    report: (report: object) => Promise<void>,
    taken: (mail: TakenMail) => Promise<void> = async () => {},
  ) {
    this.#report = report
    this.#taken = taken
  }

  async start(): Promise<{ readonly postmarkUrl: string; readonly smtpUrl: string }> {
    this.#inbox = await countingInbox(
      ({ issuanceId, code }) => this.#takeOverSmtp(issuanceId, code),
      (mailId) => this.#takeOverSmtp(mailId, undefined),
    )
    this.#api.listen(0, '127.0.0.1')
    await once(this.#api, 'listening')
    const { port } = this.#api.address() as AddressInfo
    return { postmarkUrl: `http://127.0.0.1:${port}`, smtpUrl: this.#inbox.url }
  }

  /** Reports a mail as bounced. */
  async bounce(issuanceId: string): Promise<void> {
    await this.#report({
      RecordType: 'Bounce',
      Type: 'SoftBounce',
      BouncedAt: new Date().toISOString(),
      Metadata: { issuance: issuanceId },
    })
  }

  async stop(): Promise<void> {
    this.#api.close()
    this.#api.closeAllConnections()
    await this.#inbox?.close()
  }

  async #takeOverSmtp(mailId: string, code: string | undefined): Promise<void> {
    // 4yz: not now (RFC 5321 §4.2.1).
    if (this.smtp === 'fails') throw Object.assign(new Error('try later'), { responseCode: 451 })
    await this.#take({ by: 'smtp', mailId, code })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const mail = (await json(request)) as PostmarkMail
    const [status, answer] = await this.#answerOfPostmark(mail)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  }

  async #answerOfPostmark({ TextBody, Metadata }: PostmarkMail): Promise<[number, object]> {
    if (this.postmark === 'fails') return [500, { ErrorCode: 100, Message: 'Maintenance' }]
    if (this.postmark === 'refuses') return [422, { ErrorCode: 300, Message: 'Invalid mail' }]
    const { issuance, notice } = Metadata
    await this.#take({
      by: 'postmark',
      mailId: (issuance ?? notice)!,
      code: issuance && codeIn({ text: TextBody }),
    })
    if (this.reports) {
      void this.#report({ RecordType: 'Delivery', DeliveredAt: new Date().toISOString(), Metadata })
    }
    return [200, { ErrorCode: 0, Message: 'OK', MessageID: randomUUID() }]
  }

  async #take(mail: TakenMail): Promise<void> {
    if (mail.code !== undefined) this.codes.set(mail.mailId, mail.code)
    await this.#taken(mail)
  }
}
