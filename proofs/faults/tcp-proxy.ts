import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** What happens to one message of a client. Either way nothing of the connection gets through afterwards. */
interface Strike {
  /** Text of the message, such as the name of a prepared statement. */
  readonly marker: string
  /** Before the server gets it, or once the server has done it all and said so. */
  readonly at: 'request' | 'answer'
  /** Both ends are told at once, or neither ever, or the client is told by the server, as PostgreSQL does when its operator ends a session. */
  readonly how: 'cut' | 'hang' | 'end'
}

interface PendingStrike extends Strike {
  readonly struck: () => void
}

/** What ends every answer of PostgreSQL outside of a transaction or within one: ReadyForQuery. */
const READY_FOR_QUERY = Buffer.from('Z\0\0\0\x05', 'latin1')

/** An ErrorResponse that nobody asked for (PostgreSQL manual, 54.7): FATAL, admin_shutdown. */
const SESSION_ENDED = errorResponse({ S: 'FATAL', V: 'FATAL', C: '57P01', M: 'terminating connection' })

/**
 * Stands between the service and a server it depends on, and breaks what goes through. It reads no TLS. A connection that has
 * been in a black hole stays there when the fault is over, as behind a firewall that forgot it; new ones pass.
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

  /** `url` with the way through this proxy in it. */
  urlOf(url: string): string {
    const proxied = new URL(url)
    proxied.hostname = '127.0.0.1'
    proxied.port = String(this.#port)
    return proxied.href
  }

  /** Ends every fault that would hit connections to come. */
  async pass(): Promise<void> {
    this.#hanging = false
    this.#holding = false
    this.#delayInMs = 0
    this.#strikes.clear()
    for (const line of this.#lines) line.goOn()
    if (!this.#server.listening) await this.#listen()
  }

  /** Cuts all connections, and refuses any other. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cutAll()
    await closed
  }

  cutAll(): void {
    for (const line of this.#lines) line.cut()
  }

  /** Lets nothing through in either direction, and tells nobody. New connections are accepted. */
  hang(): void {
    this.#hanging = true
    for (const line of this.#lines) line.hang()
  }

  /** Stands still: what is said meanwhile gets through when the fault is over. New connections are accepted. */
  hold(): void {
    this.#holding = true
    for (const line of this.#lines) line.hold()
  }

  /** Holds back whatever goes through, in either direction. */
  slow(delayInMs: number): void {
    this.#delayInMs = delayInMs
  }

  /** Sends all connections to come to another server, and cuts those to the one before. */
  lead(target: number | string): void {
    this.#target = typeof target === 'string' ? Number(new URL(target).port) : target
    this.cutAll()
  }

  /** Hits the next message that holds the marker and is not hit already, once. Resolves when it has. */
  strike(strike: Strike): Promise<void> {
    return new Promise((struck) => {
      this.#strikes.add({ ...strike, struck })
    })
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.refuse()
    this.cutAll()
  }

  /** The port stays the same over a time of refusal. Somebody else may have it for a moment. */
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
  /** Called once neither end is open. */
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
  /** What the server says that will never arrive, until it is complete. */
  #lost: { answer: Buffer; readonly whenComplete: () => void } | undefined
  /** Called with the last words of the answer that is to be the last. */
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
    // A black hole tells nobody that the other end is gone, least of all a server that holds locks for it.
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

  /** What ends the session comes with the answer, if there is one: as one, for a client that is busy to read together. */
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
