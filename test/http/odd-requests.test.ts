import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'ava'
import { CRM_TOKEN, edge, WEBHOOK_AUTH } from './edge.ts'

/* Requests as no program of ours makes them. The fuzz of test/fuzz found each of these. */

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
