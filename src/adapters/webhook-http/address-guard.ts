import ipaddr from 'ipaddr.js'

/** The global unicast addresses of IPv6 (RFC 4291 §2.4). All others are for a purpose of their own, or not yet given out. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')
/** An IPv4 address behind a translator (RFC 6052 §2.1). */
const TRANSLATED = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const IPV4_BYTES = 4

export interface GuardOptions {
  /** Addresses and subnets that deliveries may go to, whatever they are for: `10.1.0.0/16`, `::1`. */
  readonly allowedNetworks: readonly string[]
  /** Whether deliveries may also go to public addresses. */
  readonly allowsPublic: boolean
}

/**
 * Decides which addresses deliveries may go to. A service chooses the URL of its endpoint, and this process can reach what the service
 * cannot: this machine, its network, and the credentials that a cloud keeps at a link-local address.
 */
export class AddressGuard {
  readonly #networks: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][]
  readonly #allowsPublic: boolean

  constructor({ allowedNetworks, allowsPublic }: GuardOptions) {
    this.#networks = allowedNetworks.map(networkOf)
    this.#allowsPublic = allowsPublic
  }

  /** @param address in the usual notation. @param encrypted whether TLS protects the delivery: everybody reads what goes to a public address without. */
  allows(address: string, encrypted: boolean): boolean {
    if (!ipaddr.isValid(address)) return false
    const meant = meantBy(ipaddr.process(address))
    const named = this.#networks.some(
      ([network, prefix]) => meant.kind() === network.kind() && meant.match(network, prefix),
    )
    return named || (this.#allowsPublic && encrypted && isPublic(meant))
  }
}

function networkOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.parse(text)
  return [address, address.toByteArray().length * 8]
}

/** The IPv4 address within one of IPv6 that stands for it. */
function meantBy(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  const translated = address.kind() === 'ipv6' && address.match(TRANSLATED)
  return translated ? ipaddr.fromByteArray(address.toByteArray().slice(-IPV4_BYTES)) : address
}

/** `unicast` is what the library calls an address for no special purpose. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST))
}
