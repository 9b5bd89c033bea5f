import type { BounceAddresses } from '../../src/contracts/bounce-addresses.ts'

/** Bounce addresses without a secret, for tests that read them. */
export class PlainBounceAddresses implements BounceAddresses {
  readonly #domain: string
  readonly #domains: readonly string[]

  constructor(domain: string, others: readonly string[] = []) {
    this.#domain = domain
    this.#domains = [domain, ...others]
  }

  of(issuanceId: string, domain = this.#domain): string {
    return `bounce+${issuanceId}.aaaaaaaaaaaaaaaa@${domain}`
  }

  issuanceOf(address: string): string | 'forged' | undefined {
    const [, id, mac, domain] =
      /^bounce\+([0-9a-f-]{36})\.([a-z2-7]{16})@(.+)$/.exec(address.toLowerCase()) ?? []
    if (id === undefined || !this.#domains.includes(domain!)) return undefined
    return mac === 'aaaaaaaaaaaaaaaa' ? id : 'forged'
  }
}
