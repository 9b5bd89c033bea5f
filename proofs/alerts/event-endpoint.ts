import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { CloudEvent } from '../../src/contracts/cloud-event.ts'

/** The endpoint of a service, whose behaviour can change while Countersign runs. */
export class EventEndpoint {
  /** It accepts each event, refuses those of consumed challenges, or answers that it is gone. */
  answer: 'accepts' | 'refuses-consumed' | 'gone' = 'accepts'
  readonly #server = createServer((request, response) => {
    // A sender that is killed in the middle of a request gets no answer.
    this.#reply(request, response).catch(() => response.destroy())
  })

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/events`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { type } = (await json(request)) as CloudEvent
    response.writeHead(this.#statusFor(type)).end()
  }

  #statusFor(type: CloudEvent['type']): number {
    if (this.answer === 'gone') return 410
    return this.answer === 'refuses-consumed' && type === 'countersign.challenge-consumed' ? 500 : 204
  }
}
