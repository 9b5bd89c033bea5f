import { hostname } from 'node:os'
import { DomainName } from '../../domain/domain-name.ts'

/** Names that mean nothing outside of one network (RFC 6762 §3 and appendix G, RFC 8375, Kubernetes, `/etc/hosts`). */
const KNOWN_NOWHERE_ELSE =
  /(?:^|\.)(?:local|localdomain|localhost|internal|intranet|private|corp|home|lan|home\.arpa)$/i

/**
 * The name of this client in EHLO: a domain name that can be looked up (RFC 5321 §4.1.1.1). The name of a machine is one only
 * if it has a domain. A container's name has none, and then the domain of the sender takes its place. Undefined if there is
 * no such name, as in development: nodemailer then says `[127.0.0.1]`, which strict relays refuse.
 */
export function ehloName(
  configured: string | undefined,
  senderDomain: string,
  machine: string = hostname(),
): string | undefined {
  if (configured !== undefined) return configured
  return [machine, senderDomain].find((name) => DomainName.isFull(name) && !KNOWN_NOWHERE_ELSE.test(name))
}
