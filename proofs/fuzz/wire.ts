import { connect, type Socket } from 'node:net'

/** An answer, as received. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** Whether an earlier request on its connection asked for an upgrade, which the service ignores. */
  readonly afterUpgrade?: boolean
}

/** Much longer than any answer takes, even on a busy machine. After that, the answer counts as missing. */
const ANSWER_TIMEOUT_IN_MS = 30_000
/** After this silence, the client closes a connection on which it has sent an incomplete request. */
const SILENCE_IN_MS = 400

/** Speaks HTTP/1.1 byte for byte, so that it can send what no HTTP client would. */
export class Wire {
  readonly #port: number
  readonly #idle: Socket[] = []
  readonly #askedForUpgrade = new WeakSet<Socket>()

  constructor(port: number) {
    this.#port = port
  }

  /** Sends one complete request on a pooled connection. @throws {Error} unless it gets exactly one answer. */
  async ask(request: Buffer, method: string): Promise<WireAnswer> {
    const used = this.#idle.pop()
    if (used && !used.destroyed) {
      const answer = await this.#askOn(used, request, method)
      if (answer) return answer
      // It was closed meanwhile, as an idle connection may be at any time.
    }
    const answer = await this.#askOn(connect(this.#port, '127.0.0.1'), request, method)
    if (!answer) throw new Error('the connection was closed without an answer')
    return answer
  }

  /** Sends bytes on a new connection, and returns everything that arrives until it closes. */
  async provoke(bytes: Buffer, method: string): Promise<readonly WireAnswer[]> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true })
    const closed = Promise.withResolvers<void>()
    const received: Buffer[] = []
    const silence = setTimeout(() => socket.end(), SILENCE_IN_MS)
    const patience = setTimeout(
      () => closed.reject(new Error(`the connection is open after ${ANSWER_TIMEOUT_IN_MS / 1000} s`)),
      ANSWER_TIMEOUT_IN_MS,
    )
    socket.on('data', (chunk) => {
      received.push(chunk)
      silence.refresh()
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.on('close', () => closed.resolve())
    socket.write(bytes)
    try {
      await closed.promise
    } finally {
      clearTimeout(silence)
      clearTimeout(patience)
      socket.destroy()
    }
    return answersIn(Buffer.concat(received), method)
  }

  /** Closes idle connections. */
  close(): void {
    for (const socket of this.#idle.splice(0)) socket.destroy()
  }

  /** Undefined if the connection ends before an answer begins. */
  async #askOn(socket: Socket, request: Buffer, method: string): Promise<WireAnswer | undefined> {
    const outcome = Promise.withResolvers<WireAnswer | undefined>()
    const afterUpgrade = this.#askedForUpgrade.has(socket)
    if (/^upgrade:/im.test(request.toString('latin1'))) this.#askedForUpgrade.add(socket)
    let received = Buffer.alloc(0)
    const look = (ended: boolean) => {
      try {
        const found = nextAnswer(received, method, ended)
        if (found && found.rest.length > 0) throw new Error('bytes after the answer')
        if (found) outcome.resolve({ ...found.answer, afterUpgrade })
        else if (ended && received.length > 0) throw new Error('half an answer')
        else if (ended) outcome.resolve(undefined)
      } catch (error) {
        outcome.reject(error)
      }
    }
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      look(false)
    }
    const onClose = () => look(true)
    const timer = setTimeout(
      () => outcome.reject(new Error(`no answer in ${ANSWER_TIMEOUT_IN_MS / 1000} s`)),
      ANSWER_TIMEOUT_IN_MS,
    )
    socket.on('data', onData).on('close', onClose)
    if (socket.listenerCount('error') === 0) socket.on('error', () => {})
    socket.write(request)
    try {
      const answer = await outcome.promise
      const goesOn = answer !== undefined && answer.headers.get('Connection')?.toLowerCase() !== 'close'
      if (goesOn && !socket.destroyed) this.#idle.push(socket)
      else socket.destroy()
      return answer
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose)
    }
  }
}

/** @throws {Error} if the bytes are not complete answers. */
function answersIn(bytes: Buffer, method: string): readonly WireAnswer[] {
  const answers: WireAnswer[] = []
  let rest = bytes
  while (rest.length > 0) {
    const found = nextAnswer(rest, answers.length === 0 ? method : 'GET', true)
    if (!found) throw new Error(`half an answer: ${JSON.stringify(rest.toString('latin1').slice(0, 300))}`)
    answers.push(found.answer)
    rest = found.rest
  }
  return answers
}

interface Found {
  readonly answer: WireAnswer
  readonly rest: Buffer
}

/** Undefined while the answer is incomplete. */
function nextAnswer(bytes: Buffer, method: string, ended: boolean): Found | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1])
  if (!status) throw new Error(`not a status line: ${JSON.stringify(statusLine.slice(0, 100))}`)
  const after = bytes.subarray(end + 4)
  // Interim answers, such as 100 Continue.
  if (status < 200) return nextAnswer(after, method, ended)

  const headers = new Headers()
  for (const field of fields) {
    const [, name, value] = /^([^\s:]+): ?(.*)$/.exec(field) ?? []
    if (name === undefined) throw new Error(`not a header: ${JSON.stringify(field.slice(0, 100))}`)
    headers.append(name, value!)
  }
  const body = bodyOf(after, status, method, headers, ended)
  return body && { answer: { status, headers, body: body.content.toString() }, rest: body.rest }
}

function bodyOf(bytes: Buffer, status: number, method: string, headers: Headers, ended: boolean) {
  if (method === 'HEAD' || status === 204 || status === 304) return { content: Buffer.alloc(0), rest: bytes }
  if (headers.get('Transfer-Encoding') === 'chunked') return unchunked(bytes)
  const length = headers.get('Content-Length')
  if (length === null) return ended ? { content: bytes, rest: Buffer.alloc(0) } : undefined
  const size = Number(length)
  return bytes.length < size ? undefined : { content: bytes.subarray(0, size), rest: bytes.subarray(size) }
}

function unchunked(bytes: Buffer) {
  const chunks: Buffer[] = []
  let rest = bytes
  for (;;) {
    const line = rest.indexOf('\r\n')
    if (line < 0) return undefined
    const size = Number.parseInt(rest.toString('latin1', 0, line), 16)
    const end = line + 2 + size + 2
    if (rest.length < end) return undefined
    chunks.push(rest.subarray(line + 2, line + 2 + size))
    rest = rest.subarray(end)
    if (size === 0) return { content: Buffer.concat(chunks), rest }
  }
}
