import { readFile } from 'node:fs/promises'
import test from 'ava'
import { pino } from 'pino'
import { documentationRoutes } from '../../src/adapters/http-koa/documentation/routes.ts'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import { call as callAt } from '../support/http-call.ts'
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

test('a document that cannot be read is a 500', async (t) => {
  const routes = documentationRoutes(new URL('nowhere.json', DOCUMENT))
  const url = await listening(
    t,
    createHttpServer([routes], new InFlightRequests(), pino({ level: 'silent' })),
  )

  isError(t, await callAt(url, 'GET', '/openapi.json'), 500, 'INTERNAL_SERVER_ERROR')
})
