import { connect } from 'node:net'
import test from 'ava'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { assertDocumented } from '../support/http-call.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError } from './edge.ts'

const ID = '0197a000-0000-7000-8000-0000000000c1'

for (const [what, path, family] of [
  ['an unknown path', '/nothing', 'totp'],
  ['the root', '/', 'totp'],
  ['an action in upper case', `/internal/v1/mfa/totp-email/${ID}:VERIFY`, 'totp'],
  ['a path in upper case', `/INTERNAL/v1/mfa/totp-email/${ID}:initiate`, 'totp'],
  ['a slash at the end', `/internal/v1/mfa/totp-email/${ID}:initiate/`, 'totp'],
  ['an encoded colon', `/internal/v1/mfa/totp-email/${ID}%3Averify`, 'totp'],
  ['a doubled slash', `//internal/v1/mfa/totp-email/${ID}:initiate`, 'totp'],
  ['challenges with a slash at the end', '/internal/v1/mfa/challenges/', 'challenge'],
  ['users without an id', '/internal/v1/mfa/users/', 'challenge'],
  ['webhooks without an id', '/internal/v1/mfa/webhooks/', 'challenge'],
  ['an event by its id', `/internal/v1/mfa/events/${ID}`, 'challenge'],
  ['the development routes', '/dev/token', 'totp'],
] as const) {
  test(`${what} is RESOURCE_UNKNOWN`, async (t) => {
    const { call } = await edge(t)

    isError(t, await call('POST', path, { token: ALICE_TOKEN }), 404, 'RESOURCE_UNKNOWN', { family })
  })
}

for (const [resource, verb, family] of [
  ['totp-email', 'initiate', 'totp'],
  ['totp-email', 'verify', 'totp'],
  ['challenges', 'consume', 'challenge'],
  ['challenges', 'cancel', 'challenge'],
  ['webhooks', 'rotateSecret', 'challenge'],
] as const) {
  for (const colon of ['%3A', '%3a']) {
    test(`${resource}/…${colon}${verb} is RESOURCE_UNKNOWN, and the message says how to send the colon`, async (t) => {
      const { call } = await edge(t)

      for (const id of [ID, ID.toUpperCase()]) {
        const path = `/internal/v1/mfa/${resource}/${id}${colon}${verb}`
        const reply = await call('POST', path, { token: ALICE_TOKEN })

        isError(t, reply, 404, 'RESOURCE_UNKNOWN', { family })
        t.regex(reply.body.message, /colon in the path as it is, not as %3A$/)
        t.is(reply.headers.get('Allow'), null)
      }
    })
  }
}

test('an encoded colon elsewhere is no matter of challenges: user ids may have one', async (t) => {
  const { call } = await edge(t)

  const unknown = await call('POST', '/nothing%3Averify', { token: ALICE_TOKEN })
  const user = await call('PUT', '/internal/v1/mfa/users/crm%3Averify', {
    token: CRM_TOKEN,
    json: { email: 'a@example.com' },
  })

  t.is(unknown.body.message, 'There is no such resource')
  t.is(user.body.userId, 'crm:verify')
})

for (const [method, path, allow, family] of [
  ['GET', `/internal/v1/mfa/totp-email/${ID}:initiate`, 'POST', 'totp'],
  ['PUT', `/internal/v1/mfa/totp-email/${ID}:verify`, 'POST', 'totp'],
  ['OPTIONS', `/internal/v1/mfa/totp-email/${ID}:verify`, 'POST', 'totp'],
  ['DELETE', '/internal/v1/mfa/challenges', 'POST, HEAD, GET', 'challenge'],
  ['POST', `/internal/v1/mfa/challenges/${ID}`, 'HEAD, GET', 'challenge'],
  ['PATCH', '/internal/v1/mfa/users/alice', 'PUT, HEAD, GET, DELETE', 'challenge'],
  ['PATCH', '/internal/v1/mfa/webhooks/payments', 'PUT, HEAD, GET, DELETE', 'challenge'],
  ['POST', '/internal/v1/mfa/events', 'HEAD, GET', 'challenge'],
  ['POST', '/healthz', 'HEAD, GET', 'totp'],
] as const) {
  test(`${method} ${path.replace(ID, '…')} is not allowed, and Allow says what is`, async (t) => {
    const { call } = await edge(t)

    const reply = await call(method, path, { token: ALICE_TOKEN })

    isError(t, reply, 405, 'RESOURCE_UNKNOWN', { family })
    t.is(reply.headers.get('Allow'), allow)
  })
}

test('a request id is kept when it is one, and replaced when not', async (t) => {
  const { call } = await edge(t)
  const echoed = async (id: string) =>
    (await call('GET', '/healthz', { headers: { 'X-Request-ID': id } })).headers.get('X-Request-ID')

  t.is(await echoed('a'.repeat(128)), 'a'.repeat(128))
  t.is(await echoed('A.b_c-9'), 'A.b_c-9')
  for (const id of ['a'.repeat(129), 'a b', 'a"b', '{}']) t.regex((await echoed(id)) ?? '', /^[0-9a-f-]{36}$/)
})

test('every request has one line in the log, under the id that it was answered with', async (t) => {
  const { open, initiate, call, logLines } = await edge(t)
  const id = await open()
  const first = await initiate(id)
  const second = await call('POST', `/secret-${ID}`, { token: 'user.alice' })

  const lines = logLines.filter(({ msg }) => msg === 'request')
  t.like(lines[0], {
    requestId: first.headers.get('X-Request-ID'),
    method: 'POST',
    route: '/internal/v1/mfa/totp-email/:challengeId\\:initiate',
    status: 204,
    caller: 'user:alice',
    challengeId: id,
  })
  t.like(lines[1], { requestId: second.headers.get('X-Request-ID'), status: 404, code: 'RESOURCE_UNKNOWN' })
  t.is(lines.length, 2)
  t.false(JSON.stringify(logLines).includes('secret'))
})

test('no log line holds a token, a code, an address or a body', async (t) => {
  const { open, initiate, verifyJson, call, deliver, logLines } = await edge(t)
  const id = await open()
  await initiate(id)
  await deliver()
  await verifyJson(id, { totp: '777777' })
  await verifyJson(id, { totp: '000001' })
  await call('PUT', '/internal/v1/mfa/users/bob', {
    token: CRM_TOKEN,
    json: { email: 'bob@example.com', phone: '1' },
  })

  const log = JSON.stringify(logLines)
  for (const secret of [
    '777777',
    '000001',
    'Bearer',
    CRM_TOKEN,
    'bob@example.com',
    'alice@example.com',
    'EUR',
  ]) {
    t.false(log.includes(secret), secret)
  }
})

test('a fault of ours is a 500 that says nothing, and a log line that says why', async (t) => {
  const { initiate, store, logLines } = await edge(t)
  store.stepUps.load = () => Promise.reject(new TypeError('the secret of the house'))

  const reply = await initiate(ID)

  isError(t, reply, 500, 'INTERNAL_SERVER_ERROR')
  t.false(JSON.stringify(reply.body).includes('secret'))
  const line = logLines.find(({ msg }) => msg === 'request failed')
  t.is(line?.requestId, reply.body.requestId)
  t.like(line?.err, { type: 'TypeError', message: 'the secret of the house' })
})

test('a database that is away is a 503 that asks to come back', async (t) => {
  const { initiate, store } = await edge(t)
  store.stepUps.load = () => Promise.reject(new StorageUnavailable('gone'))

  const reply = await initiate(ID)

  isError(t, reply, 503, 'INTERNAL_SERVER_ERROR')
  t.is(reply.headers.get('Retry-After'), '2')
})

test('the keys that signatures verify with are public', async (t) => {
  const { call } = await edge(t)

  const { status, body } = await call('GET', '/.well-known/jwks.json')

  t.is(status, 200)
  t.deepEqual(
    body.keys.map(({ kid, x }: { kid: string; x: string }) => [kid, x.length]),
    [['s1', 43]],
  )
})

/** What the server answers to bytes that no HTTP client would send. */
async function answerTo(
  port: number,
  request: string,
): Promise<{ status: number; body: { code: string; requestId: string } }> {
  const socket = connect(port, '127.0.0.1')
  socket.end(request)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  const [statusLine = '', ...fields] = head.split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const headers = new Headers(fields.map((field) => field.split(': ') as [string, string]))
  assertDocumented({
    ...{ method: '', path: '' },
    request: { headers: new Headers(), body: request },
    response: { status, headers, body },
  })
  return { status, body: JSON.parse(body) }
}

for (const [what, request, status] of [
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['headers of 20,000 characters', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  [
    'an expectation nobody meets',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n',
    417,
  ],
] as const) {
  test(`${what} is answered ${status} with the body of the contract`, async (t) => {
    const { port } = await edge(t)

    const reply = await answerTo(port, request)

    t.is(reply.status, status)
    t.is(reply.body.code, 'urn:plmr:mfa-totp:api:BAD_REQUEST')
    t.regex(reply.body.requestId, /^[0-9a-f-]{36}$/)
  })
}

test('a token that lacks what users need is a 403 on every route, and the log says what it lacks', async (t) => {
  const { call, logLines } = await edge(t)
  const token = 'poor-user.alice'

  for (const [method, path, family] of [
    ['POST', `/internal/v1/mfa/totp-email/${ID}:initiate`, 'totp'],
    ['POST', `/internal/v1/mfa/totp-email/${ID}:verify`, 'totp'],
    ['POST', '/internal/v1/mfa/challenges', 'challenge'],
    ['GET', `/internal/v1/mfa/challenges/${ID}`, 'challenge'],
    ['POST', `/internal/v1/mfa/challenges/${ID}:cancel`, 'challenge'],
    ['GET', '/internal/v1/mfa/users/alice', 'challenge'],
  ] as const) {
    isError(t, await call(method, path, { token }), 403, 'FORBIDDEN', { family })
  }
  const refusals = logLines.filter(({ msg }) => msg === 'request').map(({ refusal }) => refusal)
  t.deepEqual(refusals, Array(6).fill('user-scope'))
})
