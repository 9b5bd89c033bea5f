import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopbackAddress } from '../config/loopback.ts'

export interface Place {
  readonly host: string
  readonly port: number
  /** Outside production, a server listens on an address of this machine only. */
  readonly production: boolean
  /** The variable that names the host. */
  readonly variable?: 'HOST' | 'MANAGEMENT_HOST'
}

/** Resolves a name to its addresses. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>

/** Makes the server listen, and returns its URL. Rejects if the port is in use or not permitted, or if the place is not. */
export async function listen(
  server: Server,
  { host, port, production, variable = 'HOST' }: Place,
  resolve: Resolve = (name) => lookup(name, { all: true }),
): Promise<string> {
  server.listen(port, production ? host : await loopbackAddressOf(host, variable, resolve))
  await once(server, 'listening')
  return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
}

/** The configuration allows the name `localhost`, and a file or a server of names decides where that leads. */
async function loopbackAddressOf(host: string, variable: string, resolve: Resolve): Promise<string> {
  const addresses = await resolve(host)
  const elsewhere = addresses.find(({ address }) => !isLoopbackAddress(address))
  const [first] = addresses
  if (elsewhere || !first) {
    throw new Error(
      `${variable} ${host} leads to ${elsewhere?.address ?? 'no address'}, and outside production the service listens on this machine only: set ${variable}=127.0.0.1, or NODE_ENV=production`,
    )
  }
  return first.address
}
