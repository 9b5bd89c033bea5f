import type { BounceAddresses } from '../../src/contracts/bounce-addresses.ts'

/** Bounce addresses without a secret, for tests that read them. */
export class PlainBounceAddresses implements BounceAddresses {
  readonly #domain: string

  constructor(domain: string) {
    this.#domain = domain
  }

  of(issuanceId: string): string {
    return `bounce+${issuanceId}.aaaaaaaaaaaaaaaa@${this.#domain}`
  }

  issuanceOf(address: string): string | 'forged' | undefined {
    const [, id, mac, domain] =
      /^bounce\+([0-9a-f-]{36})\.([a-z2-7]{16})@(.+)$/.exec(address.toLowerCase()) ?? []
    if (id === undefined || domain !== this.#domain) return undefined
    return mac === 'aaaaaaaaaaaaaaaa' ? id : 'forged'
  }
}
