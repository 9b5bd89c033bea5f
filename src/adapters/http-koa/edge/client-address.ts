import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import proxyAddr from 'proxy-addr'

/** The address that a request comes from. Undefined if its connection has ended. */
export type ClientAddress = (request: IncomingMessage) => string | undefined

/**
 * Reads the address of the client behind trusted proxies from `X-Forwarded-For`, from the right: the entries of trusted proxies are
 * passed over, and the first other one counts. What stands before it comes from the client, who may write anything. Without proxies
 * the header is not read.
 *
 * @param proxies addresses and subnets, as in `10.0.0.0/8`.
 */
export function clientAddress(proxies: readonly string[]): ClientAddress {
  if (proxies.length === 0) return ({ socket }) => socket.remoteAddress
  const isTrusted = proxyAddr.compile([...proxies])

  return (request) => {
    const { remoteAddress } = request.socket
    if (remoteAddress === undefined || request.headers['x-forwarded-for'] === undefined) return remoteAddress
    const address = proxyAddr(request, isTrusted)
    return isIP(address) === 0 ? remoteAddress : address
  }
}
