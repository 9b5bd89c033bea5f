import { MailSystems, type TakenMail } from '../chaos/mail-systems.ts'
import { TcpProxy } from '../faults/tcp-proxy.ts'

/** A mail that was taken, and when. */
export interface Arrival extends TakenMail {
  readonly at: number
}

/** The two mail systems, the ways to them, and every mail that they took. */
export class Mailroom {
  readonly arrivals: Arrival[] = []
  readonly systems: MailSystems
  readonly ways: { readonly postmark: TcpProxy; readonly smtp: TcpProxy }
  readonly postmarkUrl: string
  readonly smtpUrl: string

  /** @param tell is told of each mail that Postmark took, before its sender is. */
  static async open(tell: (mailId: string) => Promise<void>): Promise<Mailroom> {
    const arrivals: Arrival[] = []
    const systems = new MailSystems(
      async () => {},
      async (mail) => {
        arrivals.push({ ...mail, at: Date.now() })
        if (mail.by === 'postmark' && mail.code !== undefined) await tell(mail.mailId)
      },
    )
    systems.reports = false
    const urls = await systems.start()
    const ways = { postmark: await TcpProxy.to(urls.postmarkUrl), smtp: await TcpProxy.to(urls.smtpUrl) }
    return new Mailroom(arrivals, systems, ways, urls)
  }

  private constructor(
    arrivals: Arrival[],
    systems: MailSystems,
    ways: Mailroom['ways'],
    urls: { readonly postmarkUrl: string; readonly smtpUrl: string },
  ) {
    this.arrivals = arrivals
    this.systems = systems
    this.ways = ways
    this.postmarkUrl = ways.postmark.urlOf(urls.postmarkUrl).replace(/\/$/, '')
    this.smtpUrl = ways.smtp.urlOf(urls.smtpUrl).replace(/\/$/, '')
  }

  async close(): Promise<void> {
    await this.ways.postmark.close()
    await this.ways.smtp.close()
    await this.systems.stop()
  }
}
