import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the range of outgoing connections (32768 and up on Linux, 49152 and up by RFC 6335 §6). An outgoing connection could take the
 * port of a server that has ended, and the server could not restart at that port while the connection lasts.
 */
const PORTS = { from: 20_000, to: 30_000 }

/** Returns a port on which no process listens now, and which no outgoing connection takes. */
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
