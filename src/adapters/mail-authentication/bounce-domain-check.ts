import type { DNSResolver } from 'mailauth'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { notLookedUp } from './mail-resolver.ts'

/** Checks whether mail systems find a server for the domain to which they send their notices. */
export class BounceDomainCheck implements DiagnosticCheck {
  readonly name = 'mail-bounces'
  readonly #domain: string
  readonly #resolver: DNSResolver

  constructor(domain: string, resolver: DNSResolver) {
    this.#domain = domain
    this.#resolver = resolver
  }

  async *run(): AsyncGenerator<CheckResult> {
    try {
      const records = (await this.#resolver(this.#domain, 'MX')) as unknown as readonly MxRecord[]
      // A sole `.` says that the domain takes no mail (RFC 7505).
      const servers = records.map(({ exchange }) => exchange).filter((exchange) => exchange !== '')
      yield servers.length > 0
        ? CheckResult.ok(this.name, `notices for ${this.#domain} go to ${servers.toSorted().join(', ')}`)
        : this.#without()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      yield code === 'ENODATA' || code === 'ENOTFOUND'
        ? this.#without()
        : notLookedUp(this.name, `the mail servers of ${this.#domain}`)
    }
  }

  #without(): CheckResult {
    return CheckResult.warning(
      this.name,
      `${this.#domain} publishes no mail server, so notices from elsewhere do not arrive, and some receivers refuse such a sender`,
      'Publish an MX record that names the relay, and have the relay pass that domain on to BOUNCE_INTAKE_PORT (docs/mail.md)',
    )
  }
}

interface MxRecord {
  readonly exchange: string
}
