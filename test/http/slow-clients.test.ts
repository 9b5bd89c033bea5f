import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { SERVICE_ERRORS } from '../../src/adapters/http-koa/edge/error-table.ts'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import { createRouter } from '../../src/adapters/http-koa/edge/router.ts'
import { edge } from './edge.ts'
import { listening } from './listening.ts'

const UNHURRIED = {
  headersTimeout: 60_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 60_000,
  timeout: 60_000,
  connectionsCheckingInterval: 50,
  maxConnections: 100,
}

/** A connection that says only this. */
async function saying(t: ExecutionContext, port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

/** All that comes until the server closes. */
async function everythingOn(socket: Socket): Promise<string> {
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  await once(socket, 'close')
  return received
}

for (const [what, text] of [
  ['says nothing', ''],
  ['never ends its headers', 'GET /healthz HTTP/1.1\r\nHost: x\r\n'],
] as const) {
  test(`a client that ${what} is let go`, async (t) => {
    const { port } = await edge(t, { limits: { ...UNHURRIED, headersTimeout: 200 } })

    const socket = await saying(t, port, text)

    t.regex(await everythingOn(socket), /^HTTP\/1\.1 408 .*urn:plmr:mfa-totp:api:BAD_REQUEST/s)
  })
}

test('a client that never ends its body is let go', async (t) => {
  const { port } = await edge(t, { limits: { ...UNHURRIED, headersTimeout: 200, requestTimeout: 200 } })
  const head =
    'POST /internal/v1/mfa/challenges HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer client.payments.mfa_challenges_create'

  const socket = await saying(
    t,
    port,
    `${head}\r\nplmr-idempotency-key: k\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  )

  t.regex(await everythingOn(socket), /^HTTP\/1\.1 408 .*urn:plmr:mfa-totp:api:BAD_REQUEST/s)
})

test('a client that takes nothing of its answer is let go', async (t) => {
  const text = 'x'.repeat(64 * 1024 * 1024)
  const router = createRouter({ errors: SERVICE_ERRORS })
  router.get('/', (ctx) => {
    ctx.body = text
  })
  const limits = { ...UNHURRIED, timeout: 300 }
  const server = createHttpServer([router], new InFlightRequests(), pino({ level: 'silent' }), {}, limits)
  const { port } = new URL(await listening(t, server))
  const gone = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'))

  const socket = await saying(t, Number(port), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'readable')

  await t.notThrowsAsync(gone)
  t.true((await everythingOn(socket)).length < text.length, 'it has not got the whole of it')
})

test('a connection beyond the limit is closed unanswered, and there is room again when another has ended', async (t) => {
  const { port, call } = await edge(t, { limits: { ...UNHURRIED, maxConnections: 2 } })
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const [first, second] = [await saying(t, port, request), await saying(t, port, request)]
  await Promise.all([once(first, 'data'), once(second, 'data')])

  const third = await saying(t, port, request)
  t.is(await everythingOn(third), '')

  first.destroy()
  const answered = async () => {
    try {
      return (await call('GET', '/healthz')).status
    } catch {
      return undefined
    }
  }
  let status = await answered()
  while (status === undefined) status = await answered()
  t.is(status, 200)
})

test('every answer forbids to be framed, sniffed, stored and referred from', async (t) => {
  const { call } = await edge(t)

  for (const path of ['/healthz', '/nothing', '/internal/v1/mfa/challenges/x']) {
    const { headers } = await call('GET', path)

    t.is(headers.get('Content-Security-Policy'), "default-src 'none'; frame-ancestors 'none'")
    t.is(headers.get('X-Content-Type-Options'), 'nosniff')
    t.is(headers.get('Referrer-Policy'), 'no-referrer')
    t.is(headers.get('Cache-Control'), 'no-store')
    t.is(headers.get('X-Powered-By'), null)
    t.is(headers.get('Server'), null)
  }
})
