import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { documentationRoutes } from '../../src/adapters/http-koa/documentation/routes.ts'
import { type SendBounds, Sends } from '../../src/adapters/http-koa/documentation/sends.ts'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import { ask as askAt, call as callAt } from '../support/http-call.ts'
import { edge, isError } from './edge.ts'
import { listening } from './listening.ts'

const DOCUMENT = new URL('../../src/adapters/http-koa/openapi.json', import.meta.url)

test('the document is served as it is kept', async (t) => {
  const { ask } = await edge(t)

  const { status, headers, text } = await ask('GET', '/openapi.json')

  t.is(status, 200)
  t.is(headers.get('Content-Type'), 'application/json; charset=utf-8')
  t.is(text, await readFile(DOCUMENT, 'utf8'))
})

test('a page that has only what is served here shows the document', async (t) => {
  const { ask } = await edge(t)

  const { status, headers, text } = await ask('GET', '/docs')

  t.is(status, 200)
  t.is(headers.get('Content-Type'), 'text/html; charset=utf-8')
  const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!)
  t.is(addresses.length, 4)
  for (const address of addresses) {
    t.notRegex(address, /^\/|:/)
    t.is((await ask('GET', `/${address}`)).status, 200, address)
  }
})

test('the page may run, load and ask nothing but what comes from here, and nothing that stands in it', async (t) => {
  const { ask } = await edge(t)

  const { headers, text } = await ask('GET', '/docs')

  t.is(
    headers.get('Content-Security-Policy'),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  t.notRegex(text, /<script>|<style|\sstyle=|\son\w+=/)
})

test('the viewer asks no validator and takes no other document', async (t) => {
  const { ask } = await edge(t)

  const { text } = await ask('GET', '/docs/show-api.js')

  t.regex(text, /url: 'openapi\.json'/)
  t.regex(text, /validatorUrl: null/)
  t.regex(text, /queryConfigEnabled: false/)
})

test('the viewer calls the server of its page, not the one that the document names first', async (t) => {
  const { ask } = await edge(t)

  const { text } = await ask('GET', '/docs/show-api.js')

  t.regex(text, /onComplete: \(\) => viewer\.oas3Actions\.setSelectedServer\('\/'\)/)
})

for (const [part, type] of [
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
  ['show-api.js', 'text/javascript; charset=utf-8'],
] as const) {
  test(`${part} is ${type}`, async (t) => {
    const { ask } = await edge(t)

    const { status, headers } = await ask('GET', `/docs/${part}`)

    t.is(status, 200)
    t.is(headers.get('Content-Type'), type)
    t.is(headers.get('X-Content-Type-Options'), 'nosniff')
  })
}

for (const path of [
  '/docs/',
  '/docs/index.html',
  '/docs/package.json',
  '/docs/swagger-ui-bundle.js.map',
  '/docs/toString',
  '/docs/..%2Fpackage.json',
  '/docs/%2e%2e%2fswagger-ui.css',
  '/docs/%00',
  '/docs/openapi.json',
]) {
  test(`${path} is RESOURCE_UNKNOWN`, async (t) => {
    const { call } = await edge(t)

    isError(t, await call('GET', path), 404, 'RESOURCE_UNKNOWN')
  })
}

for (const path of ['/openapi.json', '/docs', '/docs/show-api.js']) {
  test(`whoever has ${path} is told that it is the same`, async (t) => {
    const { ask } = await edge(t)
    const { headers } = await ask('GET', path)
    const tag = headers.get('ETag')!

    const again = await ask('GET', path, { headers: { 'If-None-Match': tag } })
    const other = await ask('GET', path, { headers: { 'If-None-Match': '"other"' } })

    t.is(headers.get('Cache-Control'), 'no-cache')
    t.is(again.status, 304)
    t.is(again.headers.get('ETag'), tag)
    t.is(again.text, '')
    t.is(other.status, 200)
  })

  test(`${path} can only be read`, async (t) => {
    const { ask, call } = await edge(t)

    const head = await ask('HEAD', path)
    t.is(head.status, 200)
    t.is(head.text, '')
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const reply = await call(method, path)
      isError(t, reply, 405, 'RESOURCE_UNKNOWN')
      t.is(reply.headers.get('Allow'), 'HEAD, GET')
    }
  })
}

const ENCODED = [
  ['br', 'br'],
  ['gzip', 'gzip'],
  ['gzip;q=0.5, br;q=0.4', 'gzip'],
  ['gzip;q=0.3, br;q=0.4', 'br'],
  ['*', 'br'],
  ['zstd, gzip;q=0.1', 'gzip'],
  ['identity, gzip;q=0.5', null],
  ['br;q=0, gzip;q=0', null],
  ['zstd', null],
  ['*;q=0', null],
] as const

for (const [accepted, encoding] of ENCODED) {
  test(`to a client that accepts ${accepted} an asset is sent ${encoding ? `in ${encoding}` : 'as it is'}, and is the same`, async (t) => {
    const { ask } = await edge(t)

    const sent = await ask('GET', '/openapi.json', { headers: { 'Accept-Encoding': accepted } })
    const tag = sent.headers.get('ETag')!
    const again = await ask('GET', '/openapi.json', {
      headers: { 'Accept-Encoding': accepted, 'If-None-Match': tag },
    })

    t.is(sent.headers.get('Content-Encoding'), encoding)
    t.is(sent.headers.get('Vary'), 'Accept-Encoding')
    t.is(sent.text, await readFile(DOCUMENT, 'utf8'))
    t.is(again.status, 304)
    t.is(again.headers.get('Vary'), 'Accept-Encoding')
  })
}

test('each encoding has a tag of its own', async (t) => {
  const { ask } = await edge(t)

  const tags = await Promise.all(
    ['br', 'gzip', 'identity'].map(async (accepted) =>
      (await ask('HEAD', '/openapi.json', { headers: { 'Accept-Encoding': accepted } })).headers.get('ETag'),
    ),
  )

  t.is(new Set(tags).size, 3)
})

const BOUNDS = { atOnce: 1, mostWaiting: 1, mostWaitInMs: 60_000, mostTimeInMs: 60_000 }
/** More than the buffers of two sockets hold. */
const LARGE = 64 * 1024 * 1024

/** The documentation alone, with other bounds and a document that nobody gets at once. */
async function bounded(t: ExecutionContext, bounds: Partial<SendBounds>) {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const document = join(folder, 'large.json')
  await writeFile(document, Buffer.alloc(LARGE))
  const routes = documentationRoutes(pathToFileURL(document), new Sends({ ...BOUNDS, ...bounds }))
  const server = createHttpServer([routes], new InFlightRequests(), pino({ level: 'silent' }))
  const url = await listening(t, server)
  return { url, reader: await slowReader(t, Number(new URL(url).port)) }
}

/** A client that has begun to get the document, and reads no further. */
async function slowReader(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'readable')
  return socket
}

const SMALL = '/docs/show-api.js'

test('an asset beyond those that may be sent at once is 503, and there is room again when one has ended', async (t) => {
  const { url, reader } = await bounded(t, { mostWaiting: 0 })

  const refused = await callAt(url, 'GET', SMALL)
  isError(t, refused, 503, 'INTERNAL_SERVER_ERROR')
  t.is(refused.headers.get('Retry-After'), '2')
  t.is((await askAt(url, 'HEAD', SMALL)).status, 200, 'a client that needs no asset is answered')

  reader.destroy()
  let { status } = await askAt(url, 'GET', SMALL)
  while (status !== 200) status = (await askAt(url, 'GET', SMALL)).status
  t.is(status, 200)
})

test('an asset waits for room for a short time', async (t) => {
  const { url, reader } = await bounded(t, {})

  const waiting = askAt(url, 'GET', SMALL)
  t.is((await askAt(url, 'GET', SMALL)).status, 503, 'one more than may wait')
  reader.destroy()

  t.is((await waiting).status, 200)
})

test('an asset that waits for too long is 503', async (t) => {
  const { url } = await bounded(t, { mostWaitInMs: 50 })

  for (const path of [SMALL, '/docs', '/openapi.json']) {
    isError(t, await callAt(url, 'GET', path), 503, 'INTERNAL_SERVER_ERROR')
  }
})

test('a client that takes too long to read an asset is let go', async (t) => {
  const { url, reader } = await bounded(t, { mostTimeInMs: 500 })

  t.is((await askAt(url, 'GET', SMALL)).status, 200, 'there is room again')
  reader.resume()
  await once(reader, 'close')
  t.true(reader.bytesRead < LARGE, 'it has not got the whole of it')
})

test('four hundred clients that do not read the script take little memory of a process', async (t) => {
  const child = fork(new URL('documentation-process.ts', import.meta.url))
  t.teardown(() => child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  t.is((await askAt(`http://127.0.0.1:${port}`, 'GET', '/docs/swagger-ui-bundle.js')).status, 200)
  const before = residentInMiB(child.pid!)

  const readers = Array.from({ length: 400 }, () => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n')
    return once(socket, 'readable')
  })
  await Promise.all(readers)

  const taken = residentInMiB(child.pid!) - before
  t.true(taken < 96, `they took ${taken} MiB`)
})

function residentInMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024)
}

test('a document that cannot be read is a 500', async (t) => {
  const routes = documentationRoutes(new URL('nowhere.json', DOCUMENT))
  const url = await listening(
    t,
    createHttpServer([routes], new InFlightRequests(), pino({ level: 'silent' })),
  )

  isError(t, await callAt(url, 'GET', '/openapi.json'), 500, 'INTERNAL_SERVER_ERROR')
})
