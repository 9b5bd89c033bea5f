import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'

/** A notice as it travels: the commands before it, and its content. */
export interface Notice {
  readonly envelope: string
  readonly content: string
}

/** One connection of a relay to the intake, with pipelining as Postfix has it. */
export class Relay {
  readonly #socket: Socket
  readonly #replies: AsyncIterator<string>

  static async open(port: number): Promise<Relay> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    const relay = new Relay(socket, createInterface(socket))
    await relay.#reply()
    socket.write('EHLO relay.bank.example\r\n')
    await relay.#reply()
    return relay
  }

  private constructor(socket: Socket, lines: Interface) {
    this.#socket = socket
    this.#replies = lines[Symbol.asyncIterator]()
  }

  async give({ envelope, content }: Notice): Promise<void> {
    this.#socket.write(envelope)
    for (const expected of ['250', '250', '354']) await this.#expect(expected)
    this.#socket.write(content)
    await this.#expect('250')
  }

  close(): void {
    this.#socket.destroy()
  }

  async #expect(code: string): Promise<void> {
    const reply = await this.#reply()
    if (!reply.startsWith(code)) throw new Error(`the intake answered ${reply}`)
  }

  async #reply(): Promise<string> {
    for (;;) {
      const { value, done } = await this.#replies.next()
      if (done) throw new Error('the intake closed the connection')
      if (value[3] === ' ') return value
    }
  }
}
