import { randomUUID } from 'node:crypto'
import test from 'ava'
import { POLICY } from '../domain/examples.ts'
import { ALICE_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const OVER = 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND'

test('initiate answers 204 without a body', async (t) => {
  const { open, initiate, store } = await edge(t)
  const id = await open()

  const reply = await initiate(id)

  t.is(reply.status, 204)
  t.is(reply.body, undefined)
  t.is(reply.headers.get('Cache-Control'), 'no-store')
  t.is((await store.stepUps.load(id))?.challenge.issuanceCount, 1)
})

test('initiate does not care about a body', async (t) => {
  const { open, call } = await edge(t)
  const path = `/internal/v1/mfa/totp-email/${await open()}:initiate`

  t.is((await call('POST', path, { token: ALICE_TOKEN, json: {} })).status, 204)
})

for (const [what, headers] of [
  ['no token', {}],
  ['an empty token', { Authorization: 'Bearer ' }],
  ['another scheme', { Authorization: 'Basic YWxpY2U6' }],
  ['a token that is none', { Authorization: 'Bearer x' }],
  ['two tokens', { Authorization: 'Bearer user.alice, Bearer user.alice' }],
] as const) {
  test(`initiate with ${what} is UNAUTHORIZED, and says how to do better`, async (t) => {
    const { open, call } = await edge(t)

    const reply = await call('POST', `/internal/v1/mfa/totp-email/${await open()}:initiate`, { headers })

    isError(t, reply, 401, 'UNAUTHORIZED')
    t.regex(reply.headers.get('WWW-Authenticate') ?? '', /^Bearer/)
  })
}

test('the scheme of the token may be in any case', async (t) => {
  const { open, call } = await edge(t)
  const headers = { Authorization: `bearer ${ALICE_TOKEN}` }

  t.is((await call('POST', `/internal/v1/mfa/totp-email/${await open()}:initiate`, { headers })).status, 204)
})

test('a service may not initiate', async (t) => {
  const { open, initiate } = await edge(t)

  isError(t, await initiate(await open(), PAYMENTS_TOKEN), 403, 'FORBIDDEN')
})

test('the token is looked at before the challenge id', async (t) => {
  const { initiate } = await edge(t)

  isError(t, await initiate('x', 'nonsense'), 401, 'UNAUTHORIZED')
})

const id = '0197a000-0000-7000-8000-0000000000c1'
for (const [what, alias] of [
  ['with a letter that is no digit of it', id.replace('a', 'g')],
  ['with a digit of another script', id.replace('0', '%D9%A0')],
  ['as a URN', `urn:uuid:${id}`],
  ['in braces', `{${id}}`],
  ['without hyphens', id.replaceAll('-', '')],
  ['with a space behind it', `${id}%20`],
  ['with a NUL behind it', `${id}%00`],
  ['with a slash in it', 'a%2Fb'],
  ['with an action behind it', `${id}:initiate`],
  ['that is not a UUID', 'x'],
  ['of 8,000 characters', 'a'.repeat(8000)],
  ['with broken percent-encoding', '%zz'],
] as const) {
  test(`a challenge id ${what} is a BAD_REQUEST`, async (t) => {
    const { initiate, verifyJson } = await edge(t)

    isError(t, await initiate(alias), 400, 'BAD_REQUEST')
    isError(t, await verifyJson(alias, { totp: '000001' }), 400, 'BAD_REQUEST')
  })
}

test('an unknown challenge is CHALLENGE_NOT_FOUND', async (t) => {
  const { initiate } = await edge(t)

  isError(t, await initiate(randomUUID()), 400, 'CHALLENGE_NOT_FOUND')
})

test("another user's challenge is a mismatch", async (t) => {
  const { open, initiate } = await edge(t)

  isError(t, await initiate(await open('bob')), 400, 'USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID')
})

test('a subject whom the directory does not know is USER_NOT_FOUND', async (t) => {
  const { open, initiate } = await edge(t)

  isError(t, await initiate(await open('bob'), 'user.bob'), 400, 'USER_NOT_FOUND')
})

test('a challenge that is expired, verified, exhausted or cancelled is over', async (t) => {
  const { open, initiate, verify, issue, putUser, clock } = await edge(t, {
    policy: { ...POLICY, maxAttempts: 1 },
  })
  const [expired, verified, exhausted] = [await open(), await open(), await open()]
  clock.pass(1)
  await issue(verified)
  await verify(verified, '000001')
  await verify(exhausted, '999999')
  isError(t, await initiate(verified), 400, OVER)
  isError(t, await initiate(exhausted), 400, OVER)

  const cancelled = await open()
  await putUser.execute({
    userId: 'alice',
    email: 'a@elsewhere.example',
    clientId: 'crm',
    origin: { requestId: 'r' },
  })
  isError(t, await initiate(cancelled), 400, OVER)

  clock.pass(899)
  isError(t, await initiate(expired), 400, OVER)
})

test('a second initiate within the cooldown is told when to come back', async (t) => {
  const { open, initiate, clock } = await edge(t)
  const challengeId = await open()
  await initiate(challengeId)
  clock.pass(10)

  const reply = await initiate(challengeId)

  isError(t, reply, 429, 'BAD_REQUEST')
  t.is(reply.headers.get('Retry-After'), '20')
  clock.pass(20)
  t.is((await initiate(challengeId)).status, 204)
})

test("one challenge's cooldown does not hold up another", async (t) => {
  const { open, initiate } = await edge(t)

  t.is((await initiate(await open())).status, 204)
  t.is((await initiate(await open())).status, 204)
})

test('too many codes for a challenge are told when it ends', async (t) => {
  const { open, initiate, clock } = await edge(t, { policy: { ...POLICY, maxIssuances: 1 } })
  const challengeId = await open()
  await initiate(challengeId)
  clock.pass(30)

  const reply = await initiate(challengeId)

  isError(t, reply, 429, 'BAD_REQUEST')
  t.is(reply.headers.get('Retry-After'), '870')
})

test('too many codes for a subject are told when the hour has passed', async (t) => {
  const { open, initiate, clock } = await edge(t, { policy: { ...POLICY, subjectMaxIssuancesPerHour: 1 } })
  await initiate(await open())
  clock.pass(600)

  const reply = await initiate(await open())

  isError(t, reply, 429, 'BAD_REQUEST')
  t.is(reply.headers.get('Retry-After'), '3000')
})

test('a locked subject is FORBIDDEN, and told until when', async (t) => {
  const { open, initiate, verify } = await edge(t)
  const challengeId = await open()
  for (let guess = 0; guess < 5; guess++) await verify(challengeId, '999999')

  const reply = await initiate(await open())

  isError(t, reply, 403, 'FORBIDDEN')
  t.is(reply.headers.get('Retry-After'), '900')
})

test('a mailbox without room, and an address that is held, are a 429 that says when to come back', async (t) => {
  const { open, initiate, putUser, clock } = await edge(t, {
    policy: { ...POLICY, mailboxMaxIssuancesPerHour: 1, addressHoldInSeconds: 600 },
  })
  await initiate(await open())
  clock.pass(60)

  const full = await initiate(await open())
  await putUser.execute({
    ...{ userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm' },
    origin: { requestId: 'r' },
  })
  const held = await initiate(await open())

  isError(t, full, 429, 'BAD_REQUEST')
  t.is(full.headers.get('Retry-After'), '3540')
  isError(t, held, 429, 'BAD_REQUEST')
  t.is(held.headers.get('Retry-After'), '600')
})
