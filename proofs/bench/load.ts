import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** The result of a load. Latencies are in ms, in the order of the requests. */
export interface Load {
  readonly seconds: number
  readonly latencies: readonly number[]
  readonly statuses: ReadonlyMap<number, number>
  /** When each answer was complete, as `performance.timeOrigin + performance.now()`. */
  readonly answeredAt: readonly number[]
  /** The answers, in the order of the requests. */
  readonly bodies: readonly string[]
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A request as bytes, so that building it is not measured. */
export function bytesOf({ method, path, headers = {}, body }: HttpRequest): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const all = {
    Host: 'bench',
    ...headers,
    ...(text && { 'Content-Type': 'application/json' }),
    'Content-Length': String(Buffer.byteLength(text)),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${text}`)
}

/**
 * Sends each request once over `connections` connections to the servers. A connection sends its next request when it has the last
 * answer. The client shares the cores with what it measures, so it does as little as possible: it writes bytes, and reads a status
 * and the end of the answer.
 */
export async function drive(
  urls: string | readonly string[],
  requests: readonly Buffer[],
  connections: number,
): Promise<Load> {
  const all = [urls].flat()
  const lines = await Promise.all(
    Array.from({ length: connections }, (_, line) => Connection.open(all[line % all.length]!)),
  )
  const record = new Recording(requests.length)
  let next = 0
  const startedAt = performance.now()
  await Promise.all(
    lines.map(async (line) => {
      for (let index = next++; index < requests.length; index = next++) {
        const sentAt = performance.now()
        const answer = await line.exchange(requests[index]!)
        record.note(index, answer, performance.now() - sentAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  for (const line of lines) line.close()
  return record.load(seconds)
}

/**
 * Sends `perSecond` requests a second, whether or not earlier ones are answered. A latency counts from the moment when its request
 * was due, so that a stalling server does not hide the wait of later requests (coordinated omission).
 */
export async function drivePaced(url: string, requests: readonly Buffer[], perSecond: number): Promise<Load> {
  const record = new Recording(requests.length)
  const idle: Connection[] = []
  const all: Connection[] = []
  const running: Promise<void>[] = []
  const startedAt = performance.now()
  const send = async (index: number, dueAt: number) => {
    let line = idle.pop()
    if (!line) {
      line = await Connection.open(url)
      all.push(line)
    }
    const answer = await line.exchange(requests[index]!)
    record.note(index, answer, performance.now() - dueAt)
    idle.push(line)
  }
  for (let index = 0; index < requests.length; ) {
    const due = Math.min(
      requests.length,
      Math.floor(((performance.now() - startedAt) / 1000) * perSecond) + 1,
    )
    for (; index < due; index++) running.push(send(index, startedAt + (index * 1000) / perSecond))
    await wait(1)
  }
  await Promise.all(running)
  const seconds = (performance.now() - startedAt) / 1000
  for (const line of all) line.close()
  return record.load(seconds)
}

/** A whole answer. */
type Answer = Buffer

class Recording {
  readonly #latencies: number[] = []
  readonly #answers: Answer[] = []
  readonly #answeredAt: number[] = []
  readonly #statuses = new Map<number, number>()

  constructor(size: number) {
    this.#latencies.length = size
    this.#answers.length = size
  }

  note(index: number, answer: Answer, latency: number): void {
    const status = statusOf(answer)
    this.#latencies[index] = latency
    this.#answers[index] = answer
    this.#answeredAt[index] = performance.timeOrigin + performance.now()
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
  }

  load(seconds: number): Load {
    return {
      seconds,
      latencies: this.#latencies,
      statuses: this.#statuses,
      answeredAt: this.#answeredAt,
      bodies: this.#answers.map((answer) => answer.toString().split('\r\n\r\n')[1] ?? ''),
    }
  }
}

/** One connection with one exchange at a time. */
class Connection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #settle: { resolve(answer: Answer): void; reject(error: unknown): void } | undefined

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#settle?.reject(error))
    socket.on('close', () => this.#settle?.reject(new Error('The server closed the connection')))
  }

  exchange(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    const answer = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const complete = isComplete(answer)
    this.#received = complete ? Buffer.alloc(0) : answer
    if (!complete) return
    const settle = this.#settle
    this.#settle = undefined
    settle?.resolve(answer)
  }
}

function statusOf(answer: Answer): number {
  return Number(answer.toString('latin1', 9, 12))
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

function isComplete(answer: Answer): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  if (statusOf(answer) === 204) return true

  const length = /\r\ncontent-length: (\d+)/i.exec(answer.toString('latin1', 0, end))?.[1]
  if (length === undefined) return answer.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
  return answer.length >= end + 4 + Number(length)
}
