import test, { type ExecutionContext } from 'ava'
import { TRANSFER } from '../domain/examples.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError, PAYMENTS_TOKEN, WEBHOOK_AUTH } from './edge.ts'

/* A body that two readers could take for two different ones is refused, on every route that reads one. */

const CREATE = '/internal/v1/mfa/challenges'
const VERIFY = '/internal/v1/mfa/totp-email'
const USERS = '/internal/v1/mfa/users'

async function sending(t: ExecutionContext) {
  const all = await edge(t)
  const id = await all.open()
  await all.issue(id)
  const headers = { 'Content-Type': 'application/json' }
  const send =
    (method: string, path: string, token: string, more = {}) =>
    (body: string | Uint8Array<ArrayBuffer>) =>
      all.call(method, path, { token, headers: { ...headers, ...more }, body })
  const basic = `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}`
  const key = { 'plmr-idempotency-key': 'key-1' }
  return {
    ...all,
    id,
    verify: send('POST', `${VERIFY}/${id}:verify`, ALICE_TOKEN),
    create: send('POST', CREATE, PAYMENTS_TOKEN, key),
    consume: send('POST', `${CREATE}/${id}:consume`, 'client.payments.mfa_challenges_consume', key),
    put: send('PUT', `${USERS}/bob`, CRM_TOKEN),
    report: (body: string | Uint8Array<ArrayBuffer>) =>
      all.call('POST', '/webhooks/postmark', { headers: { ...headers, Authorization: basic }, body }),
  }
}

for (const body of [
  '{"totp":"000000","totp":"000001"}',
  '{"totp":"000001","totp":"000001"}',
  '{"\\u0074otp":"000000","totp":"000001"}',
]) {
  test(`verify of ${body} is a BAD_REQUEST that names totp, and costs no guess`, async (t) => {
    const { verify, store, id } = await sending(t)

    const reply = await verify(body)

    isError(t, reply, 400, 'BAD_REQUEST', { fields: [['totp', 'NOT_BLANK']] })
    t.is(reply.body.fieldErrors[0].message, 'must not appear twice')
    t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 5)
  })
}

const { type, digest } = TRANSFER
const operation = (members: string) =>
  `{"subjectUserId":"alice","operation":{"type":"${type}","digest":"${digest}",${members}}}`

for (const [what, body, field] of [
  ['two subjects', `{"subjectUserId":"bob",${operation('"summary":[]').slice(1)}`, 'subjectUserId'],
  [
    'two summaries',
    operation('"summary":[{"label":"To","value":"A"}],"summary":[{"label":"To","value":"B"}]'),
    'operation.summary',
  ],
  [
    'two values in a line of the summary',
    operation('"summary":[{"label":"To","value":"A"},{"label":"Amount","value":"1","v\\u0061lue":"9"}]'),
    'operation.summary[1].value',
  ],
  ['two operations', `{"operation":{},${operation('"summary":[]').slice(1)}`, 'operation'],
  ['two __proto__', '{"__proto__":{},"__proto__":{}}', '__proto__'],
] as const) {
  test(`create with ${what} is a BAD_REQUEST that names ${field}, and opens nothing`, async (t) => {
    const { create } = await sending(t)

    isError(t, await create(body), 400, 'BAD_REQUEST', {
      family: 'challenge',
      fields: [[field, 'MALFORMED']],
    })
    // The key is still free.
    t.is((await create(operation('"summary":[{"label":"To","value":"A"}]'))).status, 201)
  })
}

test('consume, put and a mail report refuse a repeated member as well', async (t) => {
  const { consume, put, report, findUser } = await sending(t)
  const family = 'challenge'

  isError(t, await consume('{"signature":"x","digest":"y","digest":"z"}'), 400, 'BAD_REQUEST', {
    ...{ family, fields: [['digest', 'MALFORMED']] },
  })
  isError(t, await put('{"email":"a@example.com","email":"b@example.com"}'), 400, 'BAD_REQUEST', {
    ...{ family, fields: [['email', 'MALFORMED']] },
  })
  isError(t, await report('{"RecordType":"Open","RecordType":"Bounce"}'), 400, 'BAD_REQUEST', { family })
  await t.throwsAsync(findUser.execute('bob'), { message: 'There is no such user' })
})

test('a deep repeated member is refused with a name of at most 255 characters', async (t) => {
  const { verify } = await sending(t)

  const reply = await verify(`${'{"totp":'.repeat(1000)}{"a":1,"a":2}${'}'.repeat(1000)}`)

  isError(t, reply, 400, 'BAD_REQUEST', {
    fields: [['totp.'.repeat(51), 'NOT_BLANK']],
  })
})

for (const [what, octets] of [
  ['a lone continuation', [0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['an overlong quotation mark', [0xe0, 0x80, 0xa2]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ['a sequence that is cut off', [0xe2, 0x82]],
  ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ['a letter of Latin-1', [0xfc]],
  ['an octet that never occurs', [0xff]],
] as const) {
  test(`a body with ${what} is a BAD_REQUEST that says where, and costs no guess`, async (t) => {
    const { verify, put, store, id } = await sending(t)
    const spoiled = (head: string, tail: string) =>
      Buffer.concat([Buffer.from(head), Buffer.from(octets), Buffer.from(tail)])

    const verified = await verify(spoiled('{"totp":"0', '"}'))
    const stored = await put(spoiled('{"email":"a@example.com","displayName":"', '"}'))

    isError(t, verified, 400, 'BAD_REQUEST')
    t.is(verified.body.message, 'The body is not UTF-8 at byte 10, counted from 0')
    isError(t, stored, 400, 'BAD_REQUEST', { family: 'challenge' })
    t.is(stored.body.message, 'The body is not UTF-8 at byte 40, counted from 0')
    t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 5)
  })
}

test('a body that ends within a character is refused', async (t) => {
  const { verify } = await sending(t)

  const reply = await verify(Buffer.from([...Buffer.from('{"totp":"000001"}'), 0xe2, 0x82]))

  t.is(reply.body.message, 'The body is not UTF-8 at byte 17, counted from 0')
})

test('the replacement character itself is no fault of the encoding', async (t) => {
  const { put } = await sending(t)

  t.is((await put('{"email":"bob@example.com","displayName":"B\ufffdb"}')).body.displayName, 'B\ufffdb')
})

test('one byte order mark is dropped, two are no JSON', async (t) => {
  const { verify } = await sending(t)

  isError(t, await verify('\ufeff\ufeff{"totp":"000001"}'), 400, 'BAD_REQUEST')
  t.is((await verify('\ufeff{"totp":"000001"}')).status, 204)
})

test('a lone surrogate in an escape is stored nowhere', async (t) => {
  const { create, put, verify } = await sending(t)
  const family = 'challenge'

  isError(t, await create(operation('"summary":[{"label":"To","value":"\\ud800"}]')), 400, 'BAD_REQUEST', {
    ...{ family, fields: [['operation.summary[0].value', 'MALFORMED']] },
  })
  for (const [body, field] of [
    ['{"email":"\\ud800@example.com"}', 'email'],
    ['{"email":"bob@\\udc00.example"}', 'email'],
    ['{"email":"bob@example.com","displayName":"\\ude00\\ud83d"}', 'displayName'],
  ] as const) {
    isError(t, await put(body), 400, 'BAD_REQUEST', { family, fields: [[field, 'MALFORMED']] })
  }
  isError(t, await verify('{"totp":"\\ud800"}'), 400, 'INVALID_OTP')
})
