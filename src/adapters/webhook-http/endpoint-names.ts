import { promises as dns, type LookupAddress } from 'node:dns'

const TIMEOUT_IN_MS = 2000
const TRIES = 2
/** A name without a dot, such as one of a container network, is in no zone that a service could own. */
const LOCAL_NAME = /^[^.]+\.?$|\.localhost\.?$/

/**
 * Finds the addresses of endpoints. A name is of its service's own zone, whose name server may never answer. The look-up of the
 * operating system would then hold one of the four threads that this process also needs for its files and for its mail systems. So
 * the name servers are asked without a thread. The operating system knows names of its own, so it is asked for those that the name
 * servers do not know, one at a time. Names that no service can own have a queue of their own: a service that makes the others wait
 * does not hold up those.
 */
export class EndpointNames {
  readonly #resolver = new dns.Resolver({ timeout: TIMEOUT_IN_MS, tries: TRIES })
  readonly #lookups = new Map<string, Promise<LookupAddress[]>>()
  readonly #lastLookups: Record<'local' | 'foreign', Promise<unknown>> = {
    local: Promise.resolve(),
    foreign: Promise.resolve(),
  }
  readonly #lookUp: (name: string) => Promise<LookupAddress[]>

  /**
   * @param nameServers addresses, with or without a port. Undefined: those of the operating system.
   * @param lookUp asks the operating system, and holds a thread meanwhile.
   */
  constructor(
    nameServers?: readonly string[],
    lookUp = (name: string): Promise<LookupAddress[]> => dns.lookup(name, { all: true }),
  ) {
    if (nameServers) this.#resolver.setServers(nameServers)
    this.#lookUp = lookUp
  }

  /** Rejects if the name has no address. */
  async addressesOf(name: string): Promise<LookupAddress[]> {
    if (LOCAL_NAME.test(name)) return this.#ofSystem(name, 'local')
    const [ipv4, ipv6] = await Promise.allSettled([
      this.#resolver.resolve4(name),
      this.#resolver.resolve6(name),
    ])
    const found = [...addresses(ipv4, 4), ...addresses(ipv6, 6)]
    if (found.length > 0) return found
    if (ipv4.status === 'rejected' && isTimeout(ipv4.reason)) throw ipv4.reason
    return this.#ofSystem(name, 'foreign')
  }

  #ofSystem(name: string, queue: 'local' | 'foreign'): Promise<LookupAddress[]> {
    const underWay = this.#lookups.get(name)
    if (underWay) return underWay
    const lookup = this.#lastLookups[queue]
      .then(() => this.#lookUp(name))
      .finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    this.#lastLookups[queue] = lookup.catch(() => {})
    return lookup
  }
}

function addresses(found: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return found.status === 'fulfilled' ? found.value.map((address) => ({ address, family })) : []
}

function isTimeout(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ETIMEOUT'
}
