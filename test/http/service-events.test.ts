import test, { type ExecutionContext } from 'ava'
import { cloudEventOf } from '../../src/contracts/cloud-event.ts'
import { edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const WEBHOOKS = '/internal/v1/mfa/webhooks'
const PAYMENTS = `${WEBHOOKS}/payments`
const EVENTS = '/internal/v1/mfa/events'
const URL_OF_PAYMENTS = 'https://payments.bank.example/events'

const token = 'client.payments.mfa_webhooks_write'
const reader = 'client.payments.mfa_events_read'
const family = 'challenge'

async function registered(t: ExecutionContext) {
  const parts = await edge(t)
  const put = (json: object = { url: URL_OF_PAYMENTS }) => parts.call('PUT', PAYMENTS, { token, json })
  return { ...parts, put, first: await put() }
}

test('an endpoint is registered with 201 and its secret, and read without the secret', async (t) => {
  const { call, first, put } = await registered(t)

  t.is(first.status, 201)
  const { secret, ...endpoint } = first.body
  t.regex(secret, /^whsec_/)
  t.deepEqual(endpoint, {
    clientId: 'payments',
    url: URL_OF_PAYMENTS,
    pausedAt: null,
    registeredBy: 'service',
    previousSecretSigns: false,
  })
  const read = await call('GET', PAYMENTS, { token })
  t.is(read.status, 200)
  t.deepEqual(read.body, endpoint)
  const repeat = await put()
  t.is(repeat.status, 200)
  t.deepEqual(repeat.body, first.body)
})

test('an endpoint without a URL is for a service that reads its events', async (t) => {
  const { put } = await registered(t)

  const reply = await put({})

  t.is(reply.status, 200)
  t.is(reply.body.url, null)
})

test('neither the log nor an error repeats a URL or a secret', async (t) => {
  const { first, put, logLines } = await registered(t)

  const refused = await put({ url: 'https://10.0.0.1/?token=of-the-service' })

  t.is(refused.status, 400)
  const seen = JSON.stringify([logLines, refused.body])
  for (const each of [first.body.secret, 'payments.bank.example', 'of-the-service'])
    t.false(seen.includes(each))
})

for (const [what, url, code] of [
  ['an empty URL', '', 'NOT_BLANK'],
  ['null', null, 'NOT_NULL'],
  ['a number', 7, 'MALFORMED'],
  ['no URL', 'payments', 'MALFORMED'],
  ['plain HTTP', 'http://payments.bank.example/', 'MALFORMED'],
  ['a password', 'https://u:p@payments.bank.example/', 'MALFORMED'],
  ['a fragment', 'https://payments.bank.example/#a', 'MALFORMED'],
  ['a forbidden address', 'https://10.0.0.1/', 'MALFORMED'],
  ['the same address in octal', 'https://012.0.0.01/', 'MALFORMED'],
  ['too many characters', `https://payments.bank.example/${'a'.repeat(2048)}`, 'MALFORMED'],
] as const) {
  test(`an endpoint of ${what} is a BAD_REQUEST that names the field, and registers nothing`, async (t) => {
    const { call } = await edge(t)

    const reply = await call('PUT', PAYMENTS, { token, json: { url } })

    isError(t, reply, 400, 'BAD_REQUEST', { family, fields: [['url', code]] })
    isError(t, await call('GET', PAYMENTS, { token }), 404, 'WEBHOOK_NOT_FOUND', { family })
  })
}

test('an unknown member of a registration or a rotation is refused', async (t) => {
  const { call, put } = await registered(t)
  const fields = [['secret', 'UNKNOWN']] as const

  isError(t, await put({ url: URL_OF_PAYMENTS, secret: 'x' }), 400, 'BAD_REQUEST', { family, fields })
  const rotated = await call('POST', `${PAYMENTS}:rotateSecret`, { token, json: { secret: 'x' } })
  isError(t, rotated, 400, 'BAD_REQUEST', { family, fields })
})

test('without an endpoint there is no secret to rotate', async (t) => {
  const { call } = await edge(t)

  const reply = await call('POST', `${PAYMENTS}:rotateSecret`, { token, json: {} })

  isError(t, reply, 404, 'WEBHOOK_NOT_FOUND', { family })
})

for (const [method, path, json] of [
  ['PUT', '', {}],
  ['GET', '', undefined],
  ['DELETE', '', undefined],
  ['POST', ':rotateSecret', {}],
] as const) {
  test(`${method} …${path} of another client's endpoint, or without the scope, is FORBIDDEN`, async (t) => {
    const { call, first } = await registered(t)
    const asking = (who: string, clientId = 'payments') =>
      call(method, `${WEBHOOKS}/${clientId}${path}`, { token: who, ...(json && { json }) })

    isError(t, await asking('client.crm.mfa_webhooks_write'), 403, 'FORBIDDEN', { family })
    isError(t, await asking(PAYMENTS_TOKEN), 403, 'FORBIDDEN', { family })
    isError(t, await asking('user.payments'), 403, 'FORBIDDEN', { family })
    // Nobody learns which clients have an endpoint.
    isError(t, await asking(token, 'crm'), 403, 'FORBIDDEN', { family })

    t.deepEqual((await call('PUT', PAYMENTS, { token, json: { url: URL_OF_PAYMENTS } })).body, first.body)
  })
}

test('a client id may hold what tokens hold', async (t) => {
  const { call } = await edge(t)
  const who = 'client.acme/b+c.mfa_webhooks_write'

  const reply = await call('PUT', `${WEBHOOKS}/acme%2Fb%2Bc`, { token: who, json: {} })

  t.is(reply.status, 201)
  t.is(reply.body.clientId, 'acme/b+c')
})

test('a new secret leaves the one before valid, unless that one has leaked', async (t) => {
  const { call, first, put } = await registered(t)
  const rotate = (json: object) => call('POST', `${PAYMENTS}:rotateSecret`, { token, json })

  const second = await rotate({})
  t.is(second.status, 200)
  t.not(second.body.secret, first.body.secret)
  t.true(second.body.previousSecretSigns)
  t.is((await put()).body.secret, second.body.secret)

  const third = await rotate({ keepPrevious: false })
  t.false(third.body.previousSecretSigns)
})

test('a removed endpoint is gone, and removing it again is no error', async (t) => {
  const { call } = await registered(t)

  for (const _ of [1, 2]) {
    const reply = await call('DELETE', PAYMENTS, { token })
    t.is(reply.status, 204)
  }

  isError(t, await call('GET', PAYMENTS, { token }), 404, 'WEBHOOK_NOT_FOUND', { family })
})

test('what the operator has registered, its service can neither change nor remove', async (t) => {
  const { call, put, store } = await registered(t)
  const stored = await store.endpoints.find('payments')
  await store.endpoints.save({ ...stored!, registeredBy: 'configuration' }, stored)

  isError(t, await put({ url: 'https://elsewhere.example/' }), 409, 'WEBHOOK_CONFIGURED', { family })
  isError(t, await call('DELETE', PAYMENTS, { token }), 409, 'WEBHOOK_CONFIGURED', { family })
  t.is((await put()).body.registeredBy, 'configuration')
})

test('a client reads its events as CloudEvents, page by page', async (t) => {
  const { call, store, open, issue } = await registered(t)
  const id = await open()
  await issue(id)
  await store.serviceEvents.number(10)
  const page = (query: string) => call('GET', `${EVENTS}${query}`, { token: reader })

  const first = await page('?limit=1')
  t.is(first.status, 200)
  const [opened] = await store.serviceEvents.after('payments', 0, 1)
  t.deepEqual(first.body, {
    events: [JSON.parse(JSON.stringify(cloudEventOf(opened!)))],
    nextAfter: opened!.position,
  })
  t.like(first.body.events[0], {
    type: 'countersign.challenge-opened',
    subject: id,
    data: { clientId: 'payments', subjectUserId: 'alice' },
  })

  const rest = await page(`?after=${first.body.nextAfter}`)
  t.deepEqual(
    rest.body.events.map(({ type }: { type: string }) => type),
    ['countersign.otp-issued'],
  )
  t.deepEqual((await page(`?after=${rest.body.nextAfter}&limit=200`)).body, {
    events: [],
    nextAfter: rest.body.nextAfter,
  })
})

test('a client reads no event of another client', async (t) => {
  const { call, store, open } = await registered(t)
  await call('PUT', `${WEBHOOKS}/crm`, { token: 'client.crm.mfa_webhooks_write', json: {} })
  await open()
  await store.serviceEvents.number(10)

  const reply = await call('GET', EVENTS, { token: 'client.crm.mfa_events_read' })

  t.deepEqual(reply.body, { events: [], nextAfter: 0 })
})

test('a client for which nothing is stored is told so, and not that nothing happened', async (t) => {
  const { call } = await edge(t)

  isError(t, await call('GET', EVENTS, { token: reader }), 404, 'WEBHOOK_NOT_FOUND', { family })
})

test('events need the scope for them', async (t) => {
  const { call } = await registered(t)

  isError(t, await call('GET', EVENTS, { token }), 403, 'FORBIDDEN', { family })
})

for (const [query, field, code] of [
  ['after=', 'after', 'NOT_BLANK'],
  ['after=-1', 'after', 'MALFORMED'],
  ['after=1.5', 'after', 'MALFORMED'],
  ['after=0x10', 'after', 'MALFORMED'],
  ['after=9999999999999999', 'after', 'MALFORMED'],
  ['after=1&after=2', 'after', 'MALFORMED'],
  ['limit=0', 'limit', 'MALFORMED'],
  ['limit=201', 'limit', 'MALFORMED'],
  ['limit=%E0%A5%A7', 'limit', 'MALFORMED'],
  ['aftr=1', 'aftr', 'UNKNOWN'],
  ['__proto__=1', '__proto__', 'UNKNOWN'],
] as const) {
  test(`the query ${query} is a BAD_REQUEST that names the parameter`, async (t) => {
    const { call } = await registered(t)

    const reply = await call('GET', `${EVENTS}?${query}`, { token: reader })

    isError(t, reply, 400, 'BAD_REQUEST', { family, fields: [[field, code]] })
  })
}

test('the boundaries of a query are allowed', async (t) => {
  const { call } = await registered(t)

  for (const query of ['after=0', 'after=9007199254740991', 'limit=1', 'limit=200']) {
    t.is((await call('GET', `${EVENTS}?${query}`, { token: reader })).status, 200, query)
  }
})
