import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { POLICY } from '../domain/examples.ts'
import { ApiDocument } from '../support/api-document.ts'
import { CODE_SPELLINGS, NOT_CODES } from '../support/code-spellings.ts'
import { ALICE_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const document = ApiDocument.read()
const OVER = 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND'

async function issued(t: Parameters<typeof edge>[0], options: Parameters<typeof edge>[1] = {}) {
  const all = await edge(t, options)
  const id = await all.open()
  await all.issue(id)
  return { ...all, id, path: `/internal/v1/mfa/totp-email/${id}:verify` }
}

for (const totp of ['000001', ' 000 001 ', '000-001']) {
  test(`verify of ${JSON.stringify(totp)} answers 204 without a body`, async (t) => {
    const { id, verifyJson, store } = await issued(t)

    const reply = await verifyJson(id, { totp })

    t.is(reply.status, 204)
    t.is(reply.body, undefined)
    t.is(reply.headers.get('Cache-Control'), 'no-store')
    t.is((await store.stepUps.load(id))?.challenge.status, 'verified')
  })
}

for (const [what, totp, code] of CODE_SPELLINGS) {
  test(`the right code verifies: ${what}`, async (t) => {
    const { id, verifyJson } = await issued(t, { code })

    t.is((await verifyJson(id, { totp })).status, 204)
    t.deepEqual(document.faultsOfValue({ $ref: 'schema:Verification' }, { totp }), [])
  })
}

for (const [what, totp] of NOT_CODES) {
  test(`not the code, and a guess less: ${what}`, async (t) => {
    const { id, verifyJson, store } = await issued(t, { code: '042917' })

    isError(t, await verifyJson(id, { totp }), 400, 'INVALID_OTP')
    t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 4)
  })
}

test('a wrong code is INVALID_OTP, and the headers tell what is left', async (t) => {
  const { id, verifyJson, clock } = await issued(t)
  clock.pass(60)

  const reply = await verifyJson(id, { totp: '999999' })

  isError(t, reply, 400, 'INVALID_OTP')
  t.is(reply.headers.get('RateLimit-Policy'), '"totp";q=5')
  t.is(reply.headers.get('RateLimit'), '"totp";r=4;t=840')
})

test('the last wrong code leaves nothing, and the right one comes too late with 410', async (t) => {
  const { id, verifyJson } = await issued(t, { policy: { ...POLICY, maxAttempts: 2 } })

  t.is((await verifyJson(id, { totp: '999999' })).headers.get('RateLimit'), '"totp";r=1;t=900')
  t.is((await verifyJson(id, { totp: '999999' })).headers.get('RateLimit'), '"totp";r=0;t=900')
  isError(t, await verifyJson(id, { totp: '000001' }), 410, OVER)
})

for (const totp of [
  'abcdef',
  '12345',
  '1234567',
  '１２３４５６',
  '١٢٣٤٥٦',
  '+12345',
  '1e5',
  '------',
  'x'.repeat(10_000),
]) {
  test(`a string that is no code is INVALID_OTP: ${totp.slice(0, 10)}`, async (t) => {
    const { id, verifyJson } = await issued(t)

    isError(t, await verifyJson(id, { totp }), 400, 'INVALID_OTP')
  })
}

test('a code that was never sent, was superseded or has expired is INVALID_OTP', async (t) => {
  const { id, open, issue, verifyJson, clock } = await issued(t)
  isError(t, await verifyJson(await open(), { totp: '000001' }), 400, 'INVALID_OTP')

  clock.pass(30)
  await issue(id)
  isError(t, await verifyJson(id, { totp: '000001' }), 400, 'INVALID_OTP')

  clock.pass(300)
  isError(t, await verifyJson(id, { totp: '000002' }), 400, 'INVALID_OTP')
})

for (const [json, code] of [
  [{}, 'NOT_NULL'],
  [{ totp: null }, 'NOT_NULL'],
  [{ totp: '' }, 'NOT_BLANK'],
  [{ totp: ' \t ' }, 'NOT_BLANK'],
  [{ totp: '\u00A0\u3000' }, 'NOT_BLANK'],
  [{ totp: '\u200B' }, 'NOT_BLANK'],
  [{ totp: '\uFEFF \u200F' }, 'NOT_BLANK'],
  [{ totp: 123456 }, 'NOT_BLANK'],
  [{ totp: ['000001'] }, 'NOT_BLANK'],
  [{ totp: { $ne: '' } }, 'NOT_BLANK'],
  [{ totp: true }, 'NOT_BLANK'],
] as const) {
  test(`${JSON.stringify(json)} is a BAD_REQUEST with ${code} on totp, and costs no guess`, async (t) => {
    const { id, verifyJson, store } = await issued(t)

    isError(t, await verifyJson(id, json), 400, 'BAD_REQUEST', { fields: [['totp', code]] })
    t.true(document.faultsOfValue({ $ref: 'schema:Verification' }, json).length > 0)
    t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 5)
  })
}

test('an empty body is a BAD_REQUEST with NOT_NULL on totp', async (t) => {
  const { path, call } = await issued(t)
  const headers = { 'Content-Type': 'application/json' }

  const reply = await call('POST', path, { token: ALICE_TOKEN, headers, body: '' })

  isError(t, reply, 400, 'BAD_REQUEST', { fields: [['totp', 'NOT_NULL']] })
})

for (const json of [[], 'text', 7, null, { totp: '000001', more: 1 }, { TOTP: '000001', totp: '000001' }]) {
  test(`a body of ${JSON.stringify(json)} is a BAD_REQUEST`, async (t) => {
    const { id, verifyJson } = await issued(t)

    isError(t, await verifyJson(id, json), 400, 'BAD_REQUEST')
  })
}

for (const [what, body] of [
  ['broken JSON', '{"totp":'],
  ['__proto__', '{"__proto__":{"totp":"000001"}}'],
  ['thousands of levels', `${'['.repeat(8000)}${']'.repeat(8000)}`],
  ['a body in UTF-16', Buffer.from('{"totp":"000001"}', 'utf16le')],
] as const) {
  test(`${what} is a BAD_REQUEST`, async (t) => {
    const { path, call, store, id } = await issued(t)

    const reply = await call('POST', path, {
      token: ALICE_TOKEN,
      headers: { 'Content-Type': 'application/json' },
      body,
    })

    t.is(reply.status, 400)
    t.is(reply.body.code, 'urn:plmr:mfa-totp:api:BAD_REQUEST')
    t.is((await store.stepUps.load(id))?.challenge.status, 'pending')
  })
}

for (const [what, headers, body] of [
  ['no content type', { 'Content-Type': '' }, '{"totp":"000001"}'],
  ['text', { 'Content-Type': 'text/plain' }, '{"totp":"000001"}'],
  ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'totp=000001'],
  ['a JSON dialect', { 'Content-Type': 'application/vnd.api+json' }, '{"totp":"000001"}'],
  ['JSON in another charset', { 'Content-Type': 'application/json; charset=utf-16' }, '{"totp":"000001"}'],
  [
    'compressed JSON',
    { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    gzipSync('{"totp":"000001"}'),
  ],
  [
    'broken compressed JSON',
    { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    Buffer.from([0x1f, 0x8b, 8, 0, 1]),
  ],
] as const) {
  test(`${what} is an unsupported media type`, async (t) => {
    const { path, call } = await issued(t)

    isError(t, await call('POST', path, { token: ALICE_TOKEN, headers, body }), 415, 'BAD_REQUEST')
  })
}

test('a body of 16 KiB is read, one byte more is not', async (t) => {
  const { path, call } = await issued(t)
  const headers = { 'Content-Type': 'application/json; charset=utf-8' }
  const body = (size: number) => '{"totp":"000001"}'.padEnd(size, ' ')

  isError(
    t,
    await call('POST', path, { token: ALICE_TOKEN, headers, body: body(16 * 1024 + 1) }),
    413,
    'BAD_REQUEST',
  )
  t.is((await call('POST', path, { token: ALICE_TOKEN, headers, body: body(16 * 1024) })).status, 204)
})

test('an unknown challenge is CHALLENGE_NOT_FOUND', async (t) => {
  const { verifyJson } = await edge(t)

  isError(t, await verifyJson(randomUUID(), { totp: '000001' }), 400, 'CHALLENGE_NOT_FOUND')
})

test("another user's challenge is a mismatch, costs no guess, and is told only after the shape is right", async (t) => {
  const { id, verifyJson, store } = await issued(t)

  isError(t, await verifyJson(id, {}, 'user.bob'), 400, 'BAD_REQUEST', { fields: [['totp', 'NOT_NULL']] })
  isError(
    t,
    await verifyJson(id, { totp: '000001' }, 'user.bob'),
    400,
    'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID',
  )
  t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 5)
})

test('without a token the body is not looked at, and a service may not verify', async (t) => {
  const { id, path, call, verifyJson } = await issued(t)

  isError(t, await call('POST', path, { body: 'x' }), 401, 'UNAUTHORIZED')
  isError(t, await verifyJson(id, { totp: '000001' }, PAYMENTS_TOKEN), 403, 'FORBIDDEN')
})

test('a challenge that is verified, expired or cancelled is over with 410', async (t) => {
  const { id, verifyJson, open, putUser, clock } = await issued(t)
  await verifyJson(id, { totp: '000001' })
  isError(t, await verifyJson(id, { totp: '000001' }), 410, OVER)

  const cancelled = await open()
  await putUser.execute({
    userId: 'alice',
    email: 'a@elsewhere.example',
    clientId: 'crm',
    origin: { requestId: 'r' },
  })
  isError(t, await verifyJson(cancelled, { totp: '000001' }), 410, OVER)

  const expired = await open()
  clock.pass(900)
  isError(t, await verifyJson(expired, { totp: '000001' }), 410, OVER)
})

test('a locked subject is FORBIDDEN even with the right code, and told until when', async (t) => {
  const { id, open, verifyJson } = await issued(t)
  const other = await open()
  for (let guess = 0; guess < 5; guess++) await verifyJson(other, { totp: '999999' })

  const reply = await verifyJson(id, { totp: '000001' })

  isError(t, reply, 403, 'FORBIDDEN')
  t.is(reply.headers.get('Retry-After'), '900')
})
