import { Resolver } from 'node:dns/promises'
import type { DNSResolver } from 'mailauth'
import { CheckResult } from '../../contracts/diagnostic-check.ts'

/** A name server answers in much less. The checks of a domain ask up to ten times, some of them in turn. */
const TIMEOUT_IN_MS = 3000

/** Looks names up as a receiving mail system does. Without `servers` it asks those of this machine. */
export function mailResolver(servers?: readonly string[], timeoutInMs = TIMEOUT_IN_MS): DNSResolver {
  const resolver = new Resolver({ timeout: timeoutInMs, tries: 1 })
  if (servers) resolver.setServers(servers)
  return (domain, type) => resolver.resolve(domain, type) as Promise<string[] | string[][]>
}

/** The result of a check whose name server refused or kept silent. */
export function notLookedUp(name: string, what: string): CheckResult {
  return CheckResult.warning(
    name,
    `${what} could not be looked up`,
    'Check that this machine reaches a name server, or name one in DNS_SERVERS',
  )
}
