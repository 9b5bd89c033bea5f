import { randomUUID } from 'node:crypto'
import test from 'ava'
import { TRANSFER } from '../domain/examples.ts'
import { ALICE_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const PATH = '/internal/v1/mfa/challenges'
const CONSUMER = 'client.payments.mfa_challenges_consume'
const AUDITOR = 'client.payments.mfa_audit_read'
const family = 'challenge'

async function verified(t: Parameters<typeof edge>[0]) {
  const all = await edge(t)
  const id = await all.open()
  await all.issue(id)
  await all.verify(id, '000001')
  const consumeJson = (
    challengeId: string,
    changes: object = {},
    key: string | undefined = 'key-1',
    token = CONSUMER,
  ) =>
    all.call('POST', `${PATH}/${challengeId}:consume`, {
      token,
      json: { signature: `signature of ${challengeId}`, digest: TRANSFER.digest, ...changes },
      headers: key ? { 'plmr-idempotency-key': key } : {},
    })
  const cancel = (challengeId: string, token = ALICE_TOKEN) =>
    all.call('POST', `${PATH}/${challengeId}:cancel`, { token })
  return { ...all, id, consumeJson, cancel }
}

test('consume answers 200 with the operation and the authorisation, and the same again to the same call', async (t) => {
  const { id, consumeJson, clock } = await verified(t)
  const at = clock.now().toISOString()

  const first = await consumeJson(id)

  t.is(first.status, 200)
  t.deepEqual(first.body, {
    challengeId: id,
    subjectUserId: 'alice',
    operation: TRANSFER,
    verifiedAt: at,
    consumedAt: at,
    authorisation: `authorisation of ${id} at ${clock.now().getTime()}`,
  })
  const again = await consumeJson(id)
  t.is(again.status, 200)
  t.deepEqual(again.body, first.body)
})

test('consume under another key is CHALLENGE_ALREADY_CONSUMED, under the same with another body IDEMPOTENCY_KEY_REUSED', async (t) => {
  const { id, consumeJson } = await verified(t)
  await consumeJson(id)

  isError(t, await consumeJson(id, {}, 'key-2'), 409, 'CHALLENGE_ALREADY_CONSUMED', { family })
  isError(t, await consumeJson(id, { digest: 'x' }), 422, 'IDEMPOTENCY_KEY_REUSED', { family })
})

test('an id in upper case is the same challenge: on every route, to a repeat, in the trail and in the log', async (t) => {
  const { open, initiate, verifyJson, call, logLines, store } = await edge(t)
  const id = await open()
  const spelled = id.toUpperCase()
  const consume = (challengeId: string) =>
    call('POST', `${PATH}/${challengeId}:consume`, {
      token: CONSUMER,
      json: { signature: `signature of ${id}`, digest: TRANSFER.digest },
      headers: { 'plmr-idempotency-key': 'key-1' },
    })

  t.is((await initiate(spelled)).status, 204)
  t.is((await verifyJson(spelled, { totp: '000001' })).status, 204)
  t.is((await call('GET', `${PATH}/${spelled}`, { token: ALICE_TOKEN })).body.challengeId, id)
  const first = await consume(spelled)
  const again = await consume(id)
  const events = await call('GET', `${PATH}/${spelled}/events`, { token: AUDITOR })

  t.is(first.status, 200)
  t.is(first.body.challengeId, id)
  t.deepEqual(again.body, first.body)
  t.is(events.body.events.length, 4)
  t.true((await store.trail.eventsOf(id)).length > 0)
  t.false(JSON.stringify(logLines).includes(spelled))
  t.true(logLines.some(({ challengeId }) => challengeId === id))
})

test('an id in mixed case is cancelled, once for all its spellings', async (t) => {
  const { open, call } = await edge(t)
  const id = await open()
  const spellings = [id.toUpperCase(), id, id.replace(/[a-f]/, (letter) => letter.toUpperCase())]

  for (const spelled of spellings) {
    t.is((await call('POST', `${PATH}/${spelled}:cancel`, { token: ALICE_TOKEN })).status, 204)
  }
})

test('consume before verify is CHALLENGE_NOT_VERIFIED', async (t) => {
  const { open, consumeJson } = await verified(t)

  isError(t, await consumeJson(await open()), 409, 'CHALLENGE_NOT_VERIFIED', { family })
})

test('consume after expiry, exhaustion and cancellation says which', async (t) => {
  const { id, open, verify, consumeJson, cancel, clock } = await verified(t)
  const [exhausted, cancelled] = [await open(), await open()]
  await cancel(cancelled)
  for (let guess = 0; guess < 5; guess++) await verify(exhausted, '999999')

  isError(t, await consumeJson(exhausted), 410, 'CHALLENGE_EXHAUSTED', { family })
  isError(t, await consumeJson(cancelled), 410, 'CHALLENGE_CANCELLED', { family })
  clock.pass(900)
  isError(t, await consumeJson(id), 410, 'CHALLENGE_EXPIRED', { family })
})

for (const changes of [{ digest: 'A'.repeat(43) }, { signature: 'forged' }, { digest: '' }]) {
  test(`consume with ${JSON.stringify(changes)} is OPERATION_DOES_NOT_MATCH_CHALLENGE, and the right one still works`, async (t) => {
    const { id, consumeJson } = await verified(t)

    isError(t, await consumeJson(id, changes), 422, 'OPERATION_DOES_NOT_MATCH_CHALLENGE', { family })
    t.is((await consumeJson(id)).status, 200)
  })
}

test('consume asks for each field and for the idempotency key by name', async (t) => {
  const { id, consumeJson, call } = await verified(t)

  const fields = [['digest', 'NOT_NULL']] as const
  isError(t, await consumeJson(id, { digest: null }), 400, 'BAD_REQUEST', { family, fields })
  isError(t, await consumeJson(id, { signature: 7 }), 400, 'BAD_REQUEST', {
    family,
    fields: [['signature', 'MALFORMED']],
  })
  const keyless = { token: CONSUMER, json: { signature: 'x', digest: 'x' } }
  isError(t, await call('POST', `${PATH}/${id}:consume`, keyless), 400, 'BAD_REQUEST', {
    family,
    fields: [['plmr-idempotency-key', 'NOT_NULL']],
  })
})

test('consume asks for the creating client and its scope', async (t) => {
  const { id, consumeJson } = await verified(t)

  isError(t, await consumeJson(id, {}, 'k', ALICE_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await consumeJson(id, {}, 'k', PAYMENTS_TOKEN), 403, 'FORBIDDEN', { family })
  isError(
    t,
    await consumeJson(id, {}, 'k', 'client.shop.mfa_challenges_consume'),
    404,
    'CHALLENGE_NOT_FOUND',
    { family },
  )
  isError(t, await consumeJson(randomUUID()), 404, 'CHALLENGE_NOT_FOUND', { family })
  isError(t, await consumeJson('x'), 400, 'BAD_REQUEST', { family })
})

test('a consumed challenge reads so', async (t) => {
  const { id, consumeJson, call } = await verified(t)
  await consumeJson(id)

  t.is((await call('GET', `${PATH}/${id}`, { token: ALICE_TOKEN })).body.status, 'consumed')
})

test('cancel answers 204, and 204 again', async (t) => {
  const { open, cancel, call } = await verified(t)
  const id = await open()

  for (const token of [ALICE_TOKEN, 'client.payments']) {
    const reply = await cancel(id, token)
    t.is(reply.status, 204)
    t.is(reply.body, undefined)
  }
  t.is((await call('GET', `${PATH}/${id}`, { token: ALICE_TOKEN })).body.status, 'cancelled')
})

test('cancel of what is consumed, expired or not there says so', async (t) => {
  const { id, open, consumeJson, cancel, clock } = await verified(t)
  const expired = await open()
  await consumeJson(id)

  isError(t, await cancel(id), 409, 'CHALLENGE_ALREADY_CONSUMED', { family })
  isError(t, await cancel(randomUUID()), 404, 'CHALLENGE_NOT_FOUND', { family })
  isError(t, await cancel(expired, 'user.bob'), 404, 'CHALLENGE_NOT_FOUND', { family })
  isError(t, await cancel(expired, 'nonsense'), 401, 'UNAUTHORIZED', { family })
  isError(t, await cancel('x'), 400, 'BAD_REQUEST', { family })
  clock.pass(900)
  isError(t, await cancel(expired), 410, 'CHALLENGE_EXPIRED', { family })
})

test('cancel of what wrong codes have ended says so', async (t) => {
  const { open, verify, cancel } = await verified(t)
  const id = await open()
  for (let guess = 0; guess < 5; guess++) await verify(id, '999999')

  isError(t, await cancel(id), 410, 'CHALLENGE_EXHAUSTED', { family })
})

test('the creating client reads the events of a challenge, others and other scopes do not', async (t) => {
  const { id, consumeJson, call } = await verified(t)
  await consumeJson(id, { digest: 'x' })

  const { status, body } = await call('GET', `${PATH}/${id}/events`, { token: AUDITOR })

  t.is(status, 200)
  t.deepEqual(
    body.events.map(({ type }: { type: string }) => type),
    ['challenge-opened', 'otp-issued', 'challenge-verified', 'consumption-refused'],
  )
  t.like(body.events[3], {
    actor: 'client:payments',
    subjectUserId: 'alice',
    details: { reason: 'digest-mismatch' },
  })
  t.deepEqual(Object.keys(body.events[0]), [
    'type',
    'occurredAt',
    'actor',
    'requestId',
    'remoteAddress',
    'subjectUserId',
    'details',
  ])
  const read = (token: string) => call('GET', `${PATH}/${id}/events`, { token })
  isError(t, await read('client.shop.mfa_audit_read'), 404, 'CHALLENGE_NOT_FOUND', { family })
  isError(t, await read('client.payments'), 403, 'FORBIDDEN', { family })
  isError(t, await read(ALICE_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await call('GET', `${PATH}/x/events`, { token: AUDITOR }), 400, 'BAD_REQUEST', { family })
})
