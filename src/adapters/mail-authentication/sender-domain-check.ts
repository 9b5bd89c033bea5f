import { type DNSResolver, dkimVerify, dmarc, spf } from 'mailauth'
import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import { notLookedUp } from './mail-resolver.ts'

/** An address for documentation (RFC 5737), from which no mail comes. SPF has to allow it to nobody. */
const NOBODYS_ADDRESS = '192.0.2.1'

export interface SenderDomains {
  /** The domain of `From:`, which the reader sees. DMARC protects it. */
  readonly from: string
  /** The domain of the envelope sender, which SPF is about. Undefined: a mail provider chooses it. */
  readonly envelope: string | undefined
}

/** A key that signs mails, or will, or did. */
interface DkimKey {
  readonly selector: string
  /** A mail of the sender that this key has signed. */
  readonly signedSample: () => Promise<Buffer>
}

/**
 * Checks what the sender's domain publishes, with the code of a receiving mail system: SPF (RFC 7208), DKIM (RFC 6376) and DMARC
 * (RFC 9989). The first key signs the mails; a receiver needs the others before and after a rotation.
 */
export class SenderDomainCheck implements DiagnosticCheck {
  readonly name = 'mail-sender'
  readonly #domains: SenderDomains
  readonly #keys: readonly DkimKey[]
  readonly #resolver: DNSResolver

  constructor(domains: SenderDomains, keys: readonly DkimKey[], resolver: DNSResolver) {
    this.#domains = domains
    this.#keys = keys
    this.#resolver = resolver
  }

  async *run(): AsyncGenerator<CheckResult> {
    const results = await Promise.all([
      this.#checkSpf(),
      ...this.#keys.map((key, index) => this.#checkDkim(key, index === 0)),
      this.#checkDmarc(),
    ])
    yield* results.filter((result) => result !== undefined)
  }

  async #checkSpf(): Promise<CheckResult | undefined> {
    const { envelope } = this.#domains
    if (envelope === undefined) return undefined
    const { status } = await spf({
      sender: `postmaster@${envelope}`,
      ip: NOBODYS_ADDRESS,
      helo: envelope,
      mta: 'countersign',
      resolver: this.#resolver,
      strict: true,
    })
    const name = 'mail-sender-spf'
    switch (status.result) {
      case 'fail':
      case 'softfail':
        return CheckResult.ok(name, `${envelope} says which servers may send its mail`)
      case 'neutral':
        return CheckResult.warning(
          name,
          `the SPF record of ${envelope} says nothing of servers that it does not name`,
          'End the record with -all or ~all',
        )
      case 'pass':
        return CheckResult.warning(
          name,
          `the SPF record of ${envelope} allows every server to send its mail`,
          'Name the servers of the relay only, and end the record with -all or ~all',
        )
      case 'none':
        return CheckResult.warning(
          name,
          `${envelope} publishes no SPF record`,
          `Publish a TXT record at ${envelope} that names the servers of the relay: v=spf1 … -all (docs/sender-authentication.md)`,
        )
      case 'permerror':
        return CheckResult.warning(
          name,
          `the SPF record of ${envelope} is broken, so receivers ignore it: ${reasonOf(status.comment)}`,
          'Publish one record, without errors, that leads to at most ten further look-ups (RFC 7208 §4.6.4)',
        )
      default:
        return notLookedUp(name, envelope)
    }
  }

  async #checkDkim({ selector, signedSample }: DkimKey, isActive: boolean): Promise<CheckResult> {
    const name = 'mail-sender-dkim'
    const record = `${selector}._domainkey.${this.#domains.from}`
    const { results } = await dkimVerify(await signedSample(), { resolver: this.#resolver, strict: true })
    const status = results[0]?.status
    switch (status?.result) {
      case 'pass':
        return CheckResult.ok(
          name,
          `${record} has the key that ${isActive ? 'signs the mails' : 'will sign mails, or did'}`,
        )
      case 'temperror':
        return notLookedUp(name, record)
      default:
        return isActive
          ? CheckResult.failed(
              name,
              `receivers cannot verify the mails: ${reasonOf(status?.comment)} at ${record}`,
              `Publish the TXT record of this key at ${record} (docs/sender-authentication.md)`,
            )
          : CheckResult.warning(
              name,
              `${record} does not have the key that will sign mails, or did: ${reasonOf(status?.comment)}`,
              'Publish its TXT record before the key becomes the first, or remove the key from DKIM_KEYS',
            )
    }
  }

  async #checkDmarc(): Promise<CheckResult> {
    const { from, envelope } = this.#domains
    const name = 'mail-sender-dmarc'
    const found = await dmarc({
      headerFrom: [from],
      spfDomains: envelope === undefined ? [] : [envelope],
      dkimDomains: [{ domain: from }],
      resolver: this.#resolver,
    })
    if (!found || found.status.result === 'temperror') return notLookedUp(name, `_dmarc.${from}`)
    if (found.status.result === 'none') {
      return CheckResult.warning(
        name,
        `neither ${from} nor a domain above it publishes a DMARC policy`,
        `Publish a TXT record at _dmarc.${from}: v=DMARC1; p=none first, and p=reject once reports show no failures`,
      )
    }
    const { policy, policyDomain, alignment } = found
    const says = `_dmarc.${policyDomain} asks receivers to ${REQUESTS[policy as keyof typeof REQUESTS]}`
    if (envelope !== undefined && !alignment.spf.result) {
      return CheckResult.warning(
        name,
        `${says}; SPF does not count for it, because ${envelope} is not aligned with ${from}`,
        alignment.spf.strict
          ? `Have every mail signed for ${from} (DKIM), or remove aspf=s from the record`
          : `Have every mail signed for ${from} (DKIM), or use an envelope domain below ${from} (BOUNCE_DOMAIN, or bounceDomain of the brand)`,
      )
    }
    if (policy === 'none') {
      return CheckResult.warning(
        name,
        `${says}, so a forged mail of ${from} arrives as well`,
        'Read the reports, and ask for p=quarantine or p=reject once they show no failures',
      )
    }
    return CheckResult.ok(name, says)
  }
}

const REQUESTS = {
  none: 'do nothing with mails that fail',
  quarantine: 'treat mails that fail as suspicious',
  reject: 'refuse mails that fail',
} as const

/** What the library says after its general words. Domains of records may be in it, and no address. */
function reasonOf(comment: unknown): string {
  const text = typeof comment === 'string' ? comment : 'no signature'
  return text.slice(text.lastIndexOf(': ') + 1).trim()
}
