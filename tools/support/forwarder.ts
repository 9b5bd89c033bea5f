import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy in front of the management port, as an operator has one. Its origin is known before the service starts. */
export class Forwarder {
  readonly #server: Server
  #target: string | undefined

  constructor() {
    this.#server = createServer((incoming, response) => {
      const url = new URL(incoming.url!, this.#target)
      const outgoing = request(url, { method: incoming.method, headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      })
      outgoing.on('error', () => response.destroy())
      incoming.pipe(outgoing)
    })
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  /** @param url where requests go from now on. */
  leadTo(url: string): void {
    this.#target = url
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
