import { isIP } from 'node:net'
import type { WebhookNetworks } from '../../domain/webhook-registration.ts'
import { AddressGuard, type GuardOptions } from './address-guard.ts'

const PLAIN = 'must be an https:// URL'
const FORBIDDEN = 'must not lead to a loopback, link-local, private or reserved address'
const ELSEWHERE = 'must stay on this machine, as everything does outside production'

/** The rules of the transport, as far as a URL shows where it leads. So a service gets to know at once what would fail later. */
export class GuardedNetworks implements WebhookNetworks {
  readonly #guard: AddressGuard
  readonly #options: GuardOptions

  constructor(options: GuardOptions) {
    this.#guard = new AddressGuard(options)
    this.#options = options
  }

  refusalOf(hostname: string, encrypted: boolean): string | undefined {
    const { allowedNetworks, allowsPublic } = this.#options
    const address = addressOf(hostname)
    if (address === undefined) {
      if (!allowsPublic) return ELSEWHERE
      // The name may lead to one of these networks.
      return encrypted || allowedNetworks.length > 0 ? undefined : PLAIN
    }
    if (this.#guard.allows(address, encrypted)) return undefined
    if (this.#guard.allows(address, true)) return PLAIN
    return allowsPublic ? FORBIDDEN : ELSEWHERE
  }
}

/** The address that a host is by its very name. Every resolver takes `localhost` for this machine (RFC 6761 §6.3). */
function addressOf(hostname: string): string | undefined {
  if (/^(?:.*\.)?localhost\.?$/.test(hostname)) return '127.0.0.1'
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) === 0 ? undefined : address
}
