import { setTimeout as wait } from 'node:timers/promises'
import { MailSystems, type TakenMail } from '../chaos/mail-systems.ts'
import { TcpProxy } from '../faults/tcp-proxy.ts'
import type { Dice } from './dice.ts'

/** Some answers take longer than the interval between two claims, so a mail without a lease would go out twice. */
const SHARE_OF_SLOW = 0.15
const SLOWEST_IN_MS = 1200

/** An accepted mail, and when it was accepted. */
export interface Arrival extends TakenMail {
  readonly at: number
}

/** The two mail systems, the proxies in front of them, and every mail that they accepted. */
export class Mailroom {
  readonly arrivals: readonly Arrival[]
  /** The mail systems that accept each mail, but on its first arrival hang up before they answer. */
  readonly hangingUp: Set<'postmark' | 'smtp'>
  readonly systems: MailSystems
  readonly ways: { readonly postmark: TcpProxy; readonly smtp: TcpProxy }
  readonly postmarkUrl: string
  readonly smtpUrl: string

  /**
   * @param tell is called for each mail that Postmark accepted, before the sender gets the answer.
   * @param dice decides how long a sender waits for the answer.
   */
  static async open(tell: (mailId: string) => Promise<void>, dice: Dice): Promise<Mailroom> {
    const arrivals: Arrival[] = []
    const seen = new Set<string>()
    const hangingUp = new Set<'postmark' | 'smtp'>()
    const systems = new MailSystems(
      async () => {},
      async (mail) => {
        arrivals.push({ ...mail, at: Date.now() })
        if (hangingUp.has(mail.by) && !seen.has(mail.mailId)) ways[mail.by].cutAll()
        seen.add(mail.mailId)
        if (mail.by === 'postmark' && mail.code !== undefined) await tell(mail.mailId)
        await wait(dice.happens(SHARE_OF_SLOW) ? dice.between(300, SLOWEST_IN_MS) : dice.between(0, 40))
      },
    )
    systems.reports = false
    const urls = await systems.start()
    const ways = { postmark: await TcpProxy.to(urls.postmarkUrl), smtp: await TcpProxy.to(urls.smtpUrl) }
    return new Mailroom(arrivals, hangingUp, systems, ways, urls)
  }

  private constructor(
    arrivals: readonly Arrival[],
    hangingUp: Mailroom['hangingUp'],
    systems: MailSystems,
    ways: Mailroom['ways'],
    urls: { readonly postmarkUrl: string; readonly smtpUrl: string },
  ) {
    this.arrivals = arrivals
    this.hangingUp = hangingUp
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
