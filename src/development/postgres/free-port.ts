import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that outgoing connections are given (32768 and up on Linux, 49152 and up by RFC 6335 §6): one of those may hold
 * the port of a server that has ended for as long as it lasts, and the server could not come back at it.
 */
const PORTS = { from: 20_000, to: 30_000 }

/** A port of this machine that nobody listens on now, and that no outgoing connection takes. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
