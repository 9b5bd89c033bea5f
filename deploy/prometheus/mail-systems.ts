import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { type CountingInbox, countingInbox } from '../../test/chaos/counting-inbox.ts'
import { codeIn } from '../../test/journeys/client.ts'

/** What the mail systems of the proof do with the mails that they are offered. Each is changed while the service runs. */
export class MailSystems {
  /** Postmark: takes, refuses each mail for its content, or is out of order. */
  postmark: 'takes' | 'refuses' | 'fails' = 'takes'
  /** SMTP: takes, or puts off. */
  smtp: 'takes' | 'fails' = 'takes'
  /** Whether Postmark says that the mails it took were delivered. */
  reports = true
  /** The codes of mails that were taken, by issuance. */
  readonly codes = new Map<string, string>()
  readonly #report: (report: object) => Promise<void>
  readonly #api = createServer(async (request, response) => {
    const mail = (await json(request)) as { TextBody: string; Metadata: { issuance?: string } }
    const [status, answer] = this.#answer(mail)
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
  })
  #inbox: CountingInbox | undefined

  /** @param report tells the service, as Postmark's webhook does. */
  constructor(report: (report: object) => Promise<void>) {
    this.#report = report
  }

  async start(): Promise<{ readonly postmarkUrl: string; readonly smtpUrl: string }> {
    this.#inbox = await countingInbox(async ({ issuanceId, code }) => {
      // 4yz: not now (RFC 5321 §4.2.1).
      if (this.smtp === 'fails') throw Object.assign(new Error('try later'), { responseCode: 451 })
      this.codes.set(issuanceId, code)
    })
    this.#api.listen(0, '127.0.0.1')
    await once(this.#api, 'listening')
    const { port } = this.#api.address() as AddressInfo
    return { postmarkUrl: `http://127.0.0.1:${port}`, smtpUrl: this.#inbox.url }
  }

  /** Says of a mail that it came back. */
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

  #answer({ TextBody, Metadata }: { TextBody: string; Metadata: { issuance?: string } }): [number, object] {
    if (this.postmark === 'fails') return [500, { ErrorCode: 100, Message: 'Maintenance' }]
    if (this.postmark === 'refuses') return [422, { ErrorCode: 300, Message: 'Invalid mail' }]
    // What warns of a lock is of no issuance.
    if (Metadata.issuance) this.codes.set(Metadata.issuance, codeIn({ text: TextBody }))
    if (this.reports) {
      void this.#report({ RecordType: 'Delivery', DeliveredAt: new Date().toISOString(), Metadata })
    }
    return [200, { ErrorCode: 0, Message: 'OK', MessageID: randomUUID() }]
  }
}
