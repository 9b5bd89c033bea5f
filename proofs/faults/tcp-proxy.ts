import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A fault that hits one message of a client. After it, nothing passes on that connection. */
interface Strike {
  /** A text in the message, such as the name of a prepared statement. */
  readonly marker: string
  /** Before the server gets the message, or after the server has done the work and answered. */
  readonly at: 'request' | 'answer'
  /**
   * Close both ends at once, or leave both open for ever, or let the server announce the end, as PostgreSQL does when an operator
   * ends a session.
   */
  readonly how: 'cut' | 'hang' | 'end'
}

interface PendingStrike extends Strike {
  readonly struck: () => void
}

/** ReadyForQuery, which ends every answer of PostgreSQL, outside or inside a transaction. */
const READY_FOR_QUERY = Buffer.from('Z\0\0\0\x05', 'latin1')

/** An unsolicited ErrorResponse (PostgreSQL manual, 54.7): FATAL, admin_shutdown. */
const SESSION_ENDED = errorResponse({ S: 'FATAL', V: 'FATAL', C: '57P01', M: 'terminating connection' })

/**
 * A proxy between the service and a server, which injects faults. It cannot read TLS. A connection that was in a black hole stays
 * dead when the fault is over, as behind a firewall that has dropped its state. New connections pass.
 */
export class TcpProxy {
  #target: number
  readonly #lines = new Set<Line>()
  readonly #server: Server
  #port = 0
  #hanging = false
  #holding = false
  #delayInMs = 0
  readonly #strikes = new Set<PendingStrike>()

  /** @param target a port of this machine. */
  static async to(target: number | string): Promise<TcpProxy> {
    const proxy = new TcpProxy(typeof target === 'string' ? Number(new URL(target).port) : target)
    await proxy.#listen()
    return proxy
  }

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
  }

  /** `url`, changed to go through this proxy. */
  urlOf(url: string): string {
    const proxied = new URL(url)
    proxied.hostname = '127.0.0.1'
    proxied.port = String(this.#port)
    return proxied.href
  }

  /** Ends every fault for new connections. */
  async pass(): Promise<void> {
    this.#hanging = false
    this.#holding = false
    this.#delayInMs = 0
    this.#strikes.clear()
    for (const line of this.#lines) line.goOn()
    if (!this.#server.listening) await this.#listen()
  }

  /** Cuts all connections, and refuses new ones. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cutAll()
    await closed
  }

  cutAll(): void {
    for (const line of this.#lines) line.cut()
  }

  /** Silently drops everything in both directions. Accepts new connections. */
  hang(): void {
    this.#hanging = true
    for (const line of this.#lines) line.hang()
  }

  /** Stops, and passes everything on when the fault is over. Accepts new connections. */
  hold(): void {
    this.#holding = true
    for (const line of this.#lines) line.hold()
  }

  /** Delays everything, in both directions. */
  slow(delayInMs: number): void {
    this.#delayInMs = delayInMs
  }

  /** Sends new connections to another server, and cuts all others. */
  lead(target: number | string): void {
    this.#target = typeof target === 'string' ? Number(new URL(target).port) : target
    this.cutAll()
  }

  /** Hits the next message that contains the marker, once. Resolves when it has. */
  strike(strike: Strike): Promise<void> {
    return new Promise((struck) => {
      this.#strikes.add({ ...strike, struck })
    })
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuse()
    this.cutAll()
  }

  /** Keeps the same port after a refusal. Another process may have it for a moment. */
  async #listen(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#server.listen(this.#port, '127.0.0.1')
        await once(this.#server, 'listening')
        this.#port = (this.#server.address() as AddressInfo).port
        return
      } catch (error) {
        if (attempt === 50) throw error
        await wait(100)
      }
    }
  }

  #accept(client: Socket): void {
    const line: Line = new Line(client, this.#target, {
      closed: () => this.#lines.delete(line),
      delayInMs: () => this.#delayInMs,
      strikeAt: (message) => {
        const strike = [...this.#strikes].find(({ marker }) => message.includes(marker))
        if (strike) this.#strikes.delete(strike)
        return strike
      },
    })
    this.#lines.add(line)
    if (this.#hanging) line.hang()
    if (this.#holding) line.hold()
  }
}

interface Faults {
  /** Called once both ends are closed. */
  closed(): void
  delayInMs(): number
  strikeAt(message: Buffer): PendingStrike | undefined
}

/** One connection through the proxy. */
class Line {
  readonly #client: Socket
  readonly #server: Socket
  readonly #faults: Faults
  #hanging = false
  /** The server's answer so far, which will never reach the client. */
  #lost: { answer: Buffer; readonly whenComplete: () => void } | undefined
  /** Called when the last answer is complete, with its end. */
  #lastAnswer: ((words: Buffer) => void) | undefined

  constructor(client: Socket, target: number, faults: Faults) {
    this.#client = client
    this.#server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    this.#faults = faults
    client.setNoDelay(true)
    this.#carry(client, this.#server, (message) => this.#request(message))
    this.#carry(this.#server, client, (message) => this.#answer(message))
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  hang(): void {
    this.#hanging = true
  }

  hold(): void {
    this.#client.pause()
    this.#server.pause()
  }

  goOn(): void {
    this.#client.resume()
    this.#server.resume()
  }

  #carry(from: Socket, to: Socket, take: (message: Buffer) => void): void {
    from.on('data', (message) => {
      if (!this.#hanging) take(message)
    })
    from.on('end', () => {
      if (!this.#hanging) to.end()
    })
    // In a black hole, neither end learns that the other is gone. That includes a server that holds locks for it.
    from.on('close', () => {
      if (!this.#hanging) to.destroy()
      if (to.closed) this.#faults.closed()
    })
    from.on('error', () => {})
  }

  #request(message: Buffer): void {
    const strike = this.#faults.strikeAt(message)
    if (!strike) {
      this.#pass(message, this.#server)
      return
    }
    const { at, how, struck } = strike
    if (how === 'end') {
      this.#endSession(message, at, struck)
      return
    }
    const hit = () => {
      if (how === 'cut') this.cut()
      else this.hang()
      struck()
    }
    if (at === 'request') {
      hit()
      return
    }
    this.#lost = { answer: Buffer.alloc(0), whenComplete: hit }
    this.#pass(message, this.#server)
  }

  /** Sends the end of the session together with the answer, if there is one, as a busy client would read them. */
  #endSession(message: Buffer, at: Strike['at'], struck: () => void): void {
    const end = (words: Buffer) => {
      this.#hanging = true
      this.#client.end(Buffer.concat([words, SESSION_ENDED]))
      this.#server.destroy()
      struck()
    }
    if (at === 'request') {
      end(Buffer.alloc(0))
      return
    }
    this.#lastAnswer = end
    this.#pass(message, this.#server)
  }

  #answer(message: Buffer): void {
    if (this.#lastAnswer && endsAnswer(message)) {
      this.#lastAnswer(message)
      return
    }
    if (!this.#lost) {
      this.#pass(message, this.#client)
      return
    }
    this.#lost.answer = Buffer.concat([this.#lost.answer, message])
    if (endsAnswer(this.#lost.answer)) this.#lost.whenComplete()
  }

  #pass(message: Buffer, to: Socket): void {
    const delay = this.#faults.delayInMs()
    if (delay === 0) to.write(message)
    // Timers of the same length keep their order.
    else setTimeout(() => to.writable && !this.#hanging && to.write(message), delay)
  }
}

function endsAnswer(answer: Buffer): boolean {
  return answer.subarray(-6, -1).equals(READY_FOR_QUERY)
}

function errorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    `${Object.entries(fields)
      .map(([kind, text]) => `${kind}${text}\0`)
      .join('')}\0`,
  )
  const head = Buffer.from('E\0\0\0\0', 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
