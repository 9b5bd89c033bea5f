import { authenticate, type DNSResolver } from 'mailauth'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'

/**
 * Verifies a mail that has arrived, as its receiver did: whether the relay, or this service, signed it for the domain of `From:`, and
 * whether DMARC passes. The server that took the mail from outside must have written the topmost `Received:`.
 */
export class ReceivedMailCheck implements DiagnosticCheck {
  readonly name = 'received-mail'
  readonly #mail: Buffer
  readonly #from: readonly string[]
  readonly #resolver: DNSResolver

  /** @param from the domains of our senders, in lower case. */
  constructor(mail: Buffer, from: readonly string[], resolver: DNSResolver) {
    this.#mail = mail
    this.#from = from
    this.#resolver = resolver
  }

  async *run(): AsyncGenerator<CheckResult> {
    const { dkim, spf, dmarc } = await authenticate(this.#mail, {
      trustReceived: true,
      disableArc: true,
      disableBimi: true,
      mta: 'countersign',
      resolver: this.#resolver,
    })
    const senders = dkim.headerFrom.map((address) =>
      address.slice(address.lastIndexOf('@') + 1).toLowerCase(),
    )
    const [sender] = senders
    if (senders.length !== 1 || sender === undefined || !this.#from.includes(sender)) {
      yield CheckResult.failed(
        this.name,
        `the mail is not from ${this.#from.join(' or ')}`,
        'Save the source of a mail that this service sent and that has arrived elsewhere',
      )
      return
    }

    const name = 'received-mail-dkim'
    const aligned = dkim.results.filter(({ status }) => status.aligned)
    const valid = aligned.find(({ status }) => status.result === 'pass')
    if (valid) {
      yield CheckResult.ok(name, `signed for ${valid.signingDomain} with the key ${valid.selector}`)
    } else if (aligned.length > 0) {
      yield CheckResult.failed(
        name,
        `its signature for ${aligned[0]!.signingDomain} does not verify: ${aligned[0]!.status.result}`,
        'Compare the key of the signer with its TXT record; look for a server after the signer that changes mails',
      )
    } else {
      yield CheckResult.warning(
        name,
        `nobody signed it for ${sender}`,
        'Have the relay sign, or set DKIM_KEYS (docs/sender-authentication.md)',
      )
    }

    const spfResult = spf ? spf.status.result : 'none'
    if (spfResult === 'pass')
      yield CheckResult.ok('received-mail-spf', 'the server that delivered it may do so')
    else {
      yield CheckResult.warning(
        'received-mail-spf',
        `SPF says ${spfResult} of the server that delivered it`,
        'Name the outgoing servers of the relay in the SPF record; a mail that was forwarded fails SPF by nature',
      )
    }

    const dmarcResult = dmarc ? dmarc.status.result : 'none'
    if (dmarcResult === 'pass') yield CheckResult.ok('received-mail-dmarc', 'DMARC passes')
    else {
      yield CheckResult.warning(
        'received-mail-dmarc',
        `DMARC says ${dmarcResult}`,
        'DMARC passes if SPF or DKIM passes for the domain of MAIL_FROM, and that domain publishes a policy',
      )
    }
  }
}
