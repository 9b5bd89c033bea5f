import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { assertDocumented } from '../support/http-call.ts'
import { CRM_TOKEN, edge, WEBHOOK_AUTH } from './edge.ts'

/* Requests as no program of ours makes them. The fuzz of proofs/fuzz found each of these. */

const LAST = 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: last\r\nConnection: close\r\n\r\n'

/** All that comes for a request and a last one behind it on the same connection. */
async function answersTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.write(request + LAST)
  await once(socket, 'close')
  return received
}

for (const [what, path, authorization] of [
  ['a JSON body', '/internal/v1/mfa/users/bob', `Bearer ${CRM_TOKEN}`],
  ['a mail report', '/webhooks/postmark', `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}`],
] as const) {
  for (const [how, framing] of [
    ['that says its length', (body: string) => `Content-Length: ${body.length}\r\n\r\n${body}`],
    [
      'in chunks',
      (body: string) =>
        `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
  ] as const) {
    test(`${what} ${how} and is far too large does not hold up what comes after it on its connection`, async (t) => {
      const { port } = await edge(t)
      const method = path.startsWith('/webhooks') ? 'POST' : 'PUT'
      const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: ${authorization}`

      const answers = await answersTo(port, `${head}\r\n${framing('{}'.padEnd(400_000))}`)

      t.regex(answers, /^HTTP\/1\.1 413 .*HTTP\/1\.1 200 .*X-Request-ID: last/s)
    })
  }
}

for (const [what, head] of [
  ['a target with a broken host', 'GET http://[::1/healthz HTTP/1.1\r\nHost: x'],
  ['a target with a broken port', 'GET http://x:99999999/healthz HTTP/1.1\r\nHost: x'],
  ['a target with an odd host', 'GET http://a%00b/healthz HTTP/1.1\r\nHost: x'],
  ['a target of another scheme', 'GET ftp://x/healthz HTTP/1.1\r\nHost: x'],
  ['a request without a host', 'GET /healthz HTTP/1.1'],
  ['a request with two hosts', 'GET /healthz HTTP/1.1\r\nHost: x\r\nhost: y'],
  ['a request with two hosts of an older version', 'GET /healthz HTTP/1.0\r\nHost: x\r\nHost: x'],
] as const) {
  test(`${what} is a 400 with the body of the contract`, async (t) => {
    const { port } = await edge(t)

    const answers = await answersTo(port, `${head}\r\nX-Request-ID: odd\r\n\r\n`)

    const [answered = '', body = ''] = answers.split('\r\n\r\n')
    const [statusLine = '', ...fields] = answered.split('\r\n')
    const headers = new Headers(fields.map((field) => field.split(': ') as [string, string]))
    assertDocumented({
      ...{ method: '', path: '' },
      request: { headers: new Headers(), body: undefined },
      response: { status: Number(statusLine.split(' ')[1]), headers, body: body.split('HTTP/1.1')[0]! },
    })
    t.is(statusLine, 'HTTP/1.1 400 Bad Request')
    t.is(headers.get('X-Request-ID'), 'odd')
  })
}

test('HTTP/1.0 needs no host', async (t) => {
  const { port } = await edge(t)

  t.regex(
    await answersTo(port, 'GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'),
    /^HTTP\/1\.1 200 /,
  )
})

for (const target of ['http://x/healthz', 'HTTPS://user:password@x:8443/healthz?a=b']) {
  test(`${target} is what its path is`, async (t) => {
    const { port } = await edge(t)

    t.regex(
      await answersTo(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nX-Request-ID: odd\r\n\r\n`),
      /^HTTP\/1\.1 200 .*X-Request-ID: odd/s,
    )
  })
}
