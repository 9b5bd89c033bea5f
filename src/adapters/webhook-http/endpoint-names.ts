import { promises as dns, type LookupAddress } from 'node:dns'
import { setTimeout as wait } from 'node:timers/promises'

const TIMEOUT_IN_MS = 2000
const TRIES = 2
/** A name without a dot, such as one of a container network, is in no zone that a service could own. */
const LOCAL_NAME = /^[^.]+\.?$|\.localhost\.?$/

/** How long a look-up of the operating system may keep the others of its queue waiting. */
const PATIENCE_IN_MS = 2000
const MOST_SLOW_NAMES = 1000

/**
 * Finds the addresses of endpoints. A name is of its service's own zone, whose name server may never answer. The look-up of the
 * operating system would then hold one of the four threads that this process also needs for its files and for its mail systems. So
 * the name servers are asked without a thread. The operating system knows names of its own, so it is asked for those that the name
 * servers do not know, one at a time in each of three queues: names that no service can own, names that were slow, and all others. So
 * no service that makes others wait holds up the first, and it holds up the last for moments only.
 */
export class EndpointNames {
  readonly #resolver = new dns.Resolver({ timeout: TIMEOUT_IN_MS, tries: TRIES })
  readonly #lookups = new Map<string, Promise<LookupAddress[]>>()
  /** When the turn of the last one in a queue is over. */
  readonly #turns: Record<'local' | 'slow' | 'other', Promise<unknown>> = {
    local: Promise.resolve(),
    slow: Promise.resolve(),
    other: Promise.resolve(),
  }
  /** The one that was slow most recently at the end. */
  readonly #slowNames = new Set<string>()
  readonly #lookUp: (name: string) => Promise<LookupAddress[]>
  readonly #patienceInMs: number

  /**
   * @param nameServers addresses, with or without a port. Undefined: those of the operating system.
   * @param lookUp asks the operating system, and holds a thread meanwhile.
   */
  constructor(
    nameServers?: readonly string[],
    lookUp = (name: string): Promise<LookupAddress[]> => dns.lookup(name, { all: true }),
    patienceInMs = PATIENCE_IN_MS,
  ) {
    if (nameServers) this.#resolver.setServers(nameServers)
    this.#lookUp = lookUp
    this.#patienceInMs = patienceInMs
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
    return this.#ofSystem(name, this.#slowNames.has(name) ? 'slow' : 'other')
  }

  #ofSystem(name: string, queue: 'local' | 'slow' | 'other'): Promise<LookupAddress[]> {
    const underWay = this.#lookups.get(name)
    if (underWay) return underWay
    const turn = this.#turns[queue]
    const lookup = turn.then(() => this.#lookUp(name)).finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    // Who asked for the name gets the error. Those behind it only wait for the end.
    const end = lookup.then(
      () => {},
      () => {},
    )
    const isSlow = turn.then(() => this.#isSlow(name, end))
    this.#turns[queue] = queue === 'other' ? isSlow.then((slow) => slow && this.#leave(end)) : end
    return lookup
  }

  /** Fulfils when the look-up has ended, or has taken too long. Remembers which. */
  async #isSlow(name: string, end: Promise<void>): Promise<boolean> {
    const waiting = new AbortController()
    const tooLong = wait(this.#patienceInMs, true, { signal: waiting.signal, ref: false }).catch(() => false)
    const slow = await Promise.race([end.then(() => false), tooLong])
    waiting.abort()
    this.#slowNames.delete(name)
    if (slow) this.#slowNames.add(name)
    const [first] = this.#slowNames
    if (this.#slowNames.size > MOST_SLOW_NAMES) this.#slowNames.delete(first!)
    return slow
  }

  /** Puts a look-up that takes long among the slow ones, once none of them is under way. */
  #leave(end: Promise<void>): Promise<unknown> {
    const before = this.#turns.slow
    this.#turns.slow = Promise.all([before, end])
    return Promise.race([before, end])
  }
}

function addresses(found: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return found.status === 'fulfilled' ? found.value.map((address) => ({ address, family })) : []
}

function isTimeout(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ETIMEOUT'
}
