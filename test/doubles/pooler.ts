import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'

export interface PoolerOptions {
  /** Whether a connection keeps its server process until it closes, or only during a transaction. */
  readonly mode: 'session' | 'transaction'
  /** Whether it prepares a statement on each process before its first use there, as PgBouncer does since 1.21. */
  readonly preparedStatements?: boolean
  /** Whether it refuses startup parameters that it cannot pass on, as PgBouncer does without `ignore_startup_parameters`. */
  readonly refusesParameters?: boolean
}

/** A message of the PostgreSQL protocol: its type letter, and all its bytes including letter and length. */
interface Message {
  readonly type: string
  readonly bytes: Buffer
}

/** A session of the server that the pooler lends to connections. */
interface Session {
  readonly stream: Socket
  readonly prepared: Set<string>
  /** How many answers to expect for requests of the pooler itself. */
  unwanted: number
  receive: (message: Message) => void
}

/** Starts a minimal connection pooler in front of PostgreSQL. Returns the URL that goes through it. */
export async function startPooler(
  url: string,
  options: PoolerOptions,
): Promise<{ url: string; server: Server }> {
  const idle: Session[] = []
  const server = createServer((client) => {
    client.on('error', () => {})
    serve(client, url, idle, options).catch(() => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('close', () => {
    for (const { stream } of idle) stream.destroy()
  })
  const pooled = new URL(url)
  pooled.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: pooled.href, server }
}

async function serve(client: Socket, url: string, idle: Session[], options: PoolerOptions): Promise<void> {
  const bytes = client[Symbol.asyncIterator]()
  let parameters = Buffer.from((await bytes.next()).value as Buffer)
  const wantsTls = parameters.length === 8
  if (wantsTls) {
    client.write('N')
    parameters = Buffer.from((await bytes.next()).value as Buffer)
  }
  if (options.refusesParameters && parameters.includes('statement_timeout')) {
    client.end(error('08P01', 'unsupported startup parameter: statement_timeout'))
    return
  }
  client.write(Buffer.concat([AUTHENTICATED, MADE_UP_PROCESS, READY]))

  const statements = new Map<string, Message>()
  let session: Session | undefined
  const release = () => {
    if (session) idle.push(session)
    session = undefined
  }
  const split = splitter()
  for await (const chunk of { [Symbol.asyncIterator]: () => bytes }) {
    for (const message of split(chunk as Buffer)) {
      if (message.type === 'X') break
      session ??= idle.pop() ?? (await openSession(url))
      session.receive = (answer) => {
        client.write(answer.bytes)
        const idleAgain = answer.type === 'Z' && answer.bytes.at(-1) === 'I'.charCodeAt(0)
        if (idleAgain && options.mode === 'transaction') release()
      }
      if (message.type === 'P') {
        statements.set(text(message, 0), message)
        session.prepared.add(text(message, 0))
      }
      const wanted = message.type === 'B' ? statements.get(text(message, 1)) : undefined
      if (options.preparedStatements && wanted && !session.prepared.has(text(message, 1))) {
        session.prepared.add(text(message, 1))
        session.unwanted++
        session.stream.write(wanted.bytes)
      }
      session.stream.write(message.bytes)
    }
  }
  release()
}

/** Lets node-postgres log in, and then takes over its socket. */
async function openSession(url: string): Promise<Session> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.removeAllListeners()
  stream.on('error', () => {})
  const session: Session = { stream, prepared: new Set(), unwanted: 0, receive: () => {} }
  const split = splitter()
  stream.on('data', (chunk: Buffer) => {
    for (const message of split(chunk)) {
      if (message.type === '1' && session.unwanted > 0) session.unwanted--
      else session.receive(message)
    }
  })
  return session
}

function splitter(): (chunk: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const messages: Message[] = []
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = rest.readInt32BE(1) + 1
      messages.push({ type: String.fromCharCode(rest[0]!), bytes: rest.subarray(0, end) })
      rest = rest.subarray(end)
    }
    return messages
  }
}

/** The text at this index in a message. A zero ends each text. */
function text({ bytes }: Message, number: number): string {
  return bytes.subarray(5).toString('latin1').split('\0')[number]!
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function error(code: string, said: string): Buffer {
  return message('E', Buffer.from(`SFATAL\0C${code}\0M${said}\0\0`))
}

const AUTHENTICATED = message('R', Buffer.alloc(4))
/** No real process has a number this high. */
const MADE_UP_PROCESS = message('K', Buffer.from([0x7f, 0, 0, 1, 0, 0, 0, 1]))
const READY = message('Z', Buffer.from('I'))
