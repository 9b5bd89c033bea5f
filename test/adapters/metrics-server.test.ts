import { type AddressInfo, connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import {
  createMetricsServer,
  type GuardedPages,
  type Scrape,
} from '../../src/adapters/metrics-prometheus/metrics-server.ts'

async function listening(t: ExecutionContext, scrape: Scrape, pages?: GuardedPages) {
  const logLines: Record<string, unknown>[] = []
  const logger = pino({}, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const server = createMetricsServer(scrape, logger, pages)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ask = (method: string, path: string) => fetch(`http://127.0.0.1:${port}${path}`, { method })
  return { ask, port, server, logLines }
}

for (const path of ['/metrics', '/metrics?name[]=up']) {
  test(`GET ${path} is the scrape, in the text format of Prometheus`, async (t) => {
    const { ask } = await listening(t, async () => 'up 1\n')

    const response = await ask('GET', path)

    t.is(response.status, 200)
    t.is(response.headers.get('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8')
    t.is(response.headers.get('Cache-Control'), 'no-store')
    t.is(await response.text(), 'up 1\n')
  })
}

const PAGES: GuardedPages = { path: '/support', answer: (_, response) => void response.end('a page') }

test('pages answer for their path and below, by any method, and for nothing else', async (t) => {
  const { ask } = await listening(t, async () => 'up 1\n', PAGES)

  for (const [method, path] of [
    ['GET', '/support'],
    ['GET', '/support?id=1'],
    ['POST', '/support/user/unlock'],
  ] as const)
    t.is(await (await ask(method, path)).text(), 'a page', path)
  for (const path of ['/supported', '/SUPPORT', '/', '/metrics/support'])
    t.is((await ask('GET', path)).status, 404, path)
  t.is(await (await ask('GET', '/metrics')).text(), 'up 1\n')
})

test('without pages, their path leads nowhere', async (t) => {
  const { ask } = await listening(t, async () => 'up 1\n')

  t.is((await ask('GET', '/support')).status, 404)
})

test('HEAD is the same without the text', async (t) => {
  const { ask } = await listening(t, async () => 'up 1\n')

  const response = await ask('HEAD', '/metrics')

  t.is(response.status, 200)
  t.is(response.headers.get('Content-Length'), '5')
  t.is(await response.text(), '')
})

for (const [method, path] of [
  ['GET', '/'],
  ['GET', '/metrics/'],
  ['GET', '/healthz'],
  ['POST', '/metrics'],
  ['DELETE', '/metrics'],
  ['OPTIONS', '/metrics'],
] as const) {
  test(`${method} ${path} is 404, and asks for no metrics`, async (t) => {
    let scrapes = 0
    const { ask } = await listening(t, async () => `${++scrapes}`)

    t.is((await ask(method, path)).status, 404)
    t.is(scrapes, 0)
  })
}

test('a scrape that fails is 503 without a word of why, which the log has', async (t) => {
  const { ask, logLines } = await listening(t, () => Promise.reject(new Error('of the house')))

  const response = await ask('GET', '/metrics')

  t.is(response.status, 503)
  t.is(await response.text(), 'The metrics are temporarily unavailable\n')
  t.like(logLines[0], { msg: 'scrape failed', err: { message: 'of the house' } })
})

test('a connection that brings no request is cut off in the end, and so is one that brings half of one', async (t) => {
  const { server } = await listening(t, async () => '')

  t.true(server.headersTimeout > 0 && server.headersTimeout <= 10_000)
  t.true(server.requestTimeout > 0 && server.requestTimeout <= 10_000)
})

test('what is no HTTP hurts nobody', async (t) => {
  const { ask, port } = await listening(t, async () => 'up 1\n')
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.resume()
  socket.write('\x16\x03\x01 hello\r\n\r\n')
  await closed

  t.is((await ask('GET', '/metrics')).status, 200)
})
