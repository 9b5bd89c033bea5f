import { randomUUID } from 'node:crypto'
import test from 'ava'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { afterNoon, NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const PATH = '/internal/v1/mfa/challenges'
const DEMAND = { subjectUserId: 'alice', operation: TRANSFER, expiresInSeconds: 600 }
const family = 'challenge'

async function opening(t: Parameters<typeof edge>[0], options: Parameters<typeof edge>[1] = {}) {
  const all = await edge(t, options)
  const create = (json: unknown, key: string | undefined = randomUUID(), token = PAYMENTS_TOKEN) =>
    all.call('POST', PATH, { token, json, headers: key ? { 'plmr-idempotency-key': key } : {} })
  return { ...all, create }
}

test('create answers 201 with id, signature, expiry and the way to go on', async (t) => {
  const { create } = await opening(t)

  const reply = await create(DEMAND)

  const id = reply.body.challengeId
  t.is(reply.status, 201)
  t.is(reply.headers.get('Location'), `${PATH}/${id}`)
  t.deepEqual(reply.body, {
    challengeId: id,
    signature: `signature of ${id}`,
    expiresAt: afterNoon(600).toISOString(),
    methods: [
      {
        type: 'totp-email',
        initiate: `/internal/v1/mfa/totp-email/${id}:initiate`,
        verify: `/internal/v1/mfa/totp-email/${id}:verify`,
      },
    ],
  })
})

test('create without expiresInSeconds takes the lifetime of the policy', async (t) => {
  const { create } = await opening(t)

  t.is(
    (await create({ ...DEMAND, expiresInSeconds: undefined })).body.expiresAt,
    afterNoon(900).toISOString(),
  )
})

test('the same key and body again is 200 and the same challenge, whatever the order of members', async (t) => {
  const { create } = await opening(t)
  const first = await create(DEMAND, 'key-1')
  const { type, digest, summary } = TRANSFER

  const again = await create(
    { expiresInSeconds: 600, operation: { summary, digest, type }, subjectUserId: 'alice' },
    'key-1',
  )

  t.is(again.status, 200)
  t.deepEqual(again.body, first.body)
})

for (const [what, changed] of [
  ['subject', { ...DEMAND, subjectUserId: 'bob' }],
  ['lifetime', { ...DEMAND, expiresInSeconds: 601 }],
  ['summary', { ...DEMAND, operation: { ...TRANSFER, summary: [{ label: 'Amount', value: 'EUR 9' }] } }],
] as const) {
  test(`the same key with another ${what} is IDEMPOTENCY_KEY_REUSED`, async (t) => {
    const { create } = await opening(t)
    await create(DEMAND, 'key-1')

    isError(t, await create(changed, 'key-1'), 422, 'IDEMPOTENCY_KEY_REUSED', { family })
  })
}

test('a create beyond the live challenges of a user is 429, says when to come back, and opens nothing', async (t) => {
  const { create, store } = await opening(t)
  for (let n = 0; n < POLICY.subjectMaxLiveChallenges; n++) t.is((await create(DEMAND)).status, 201)
  const stored = store.events.length

  const refused = await create(DEMAND)

  isError(t, refused, 429, 'TOO_MANY_CHALLENGES', { family })
  t.is(refused.headers.get('Retry-After'), '600')
  t.is(store.events.length, stored)
  t.is((await create({ ...DEMAND, subjectUserId: 'bob' })).status, 201)
})

test('ten equal creates at once open one challenge', async (t) => {
  const { create } = await opening(t)

  const replies = await Promise.all(Array.from({ length: 10 }, () => create(DEMAND, 'key-1')))

  t.deepEqual(replies.map(({ status }) => status).toSorted(), [...Array(9).fill(200), 201])
  t.is(new Set(replies.map(({ body }) => body.challengeId)).size, 1)
})

for (const [key, code] of [
  [undefined, 'NOT_NULL'],
  ['a b', 'MALFORMED'],
  ['k'.repeat(256), 'MALFORMED'],
] as const) {
  test(`create with the idempotency key ${key?.slice(0, 9)} is a BAD_REQUEST on that header`, async (t) => {
    const { call } = await opening(t)
    const headers = key ? { 'plmr-idempotency-key': key } : {}

    isError(
      t,
      await call('POST', PATH, { token: PAYMENTS_TOKEN, json: DEMAND, headers }),
      400,
      'BAD_REQUEST',
      {
        family,
        fields: [['plmr-idempotency-key', code]],
      },
    )
  })
}

const { operation, ...noOperation } = DEMAND
for (const [what, json, fields] of [
  [
    'nothing',
    {},
    [
      ['subjectUserId', 'NOT_NULL'],
      ['operation', 'NOT_NULL'],
    ],
  ],
  ['no operation', noOperation, [['operation', 'NOT_NULL']]],
  ['a subject of a number', { ...DEMAND, subjectUserId: 7 }, [['subjectUserId', 'MALFORMED']]],
  ['a blank subject', { ...DEMAND, subjectUserId: ' ' }, [['subjectUserId', 'NOT_BLANK']]],
  ['a subject with a NUL', { ...DEMAND, subjectUserId: 'a\u0000' }, [['subjectUserId', 'MALFORMED']]],
  [
    'a short digest',
    { ...DEMAND, operation: { ...operation, digest: 'x' } },
    [['operation.digest', 'MALFORMED']],
  ],
  ['no digest', { ...DEMAND, operation: { ...operation, digest: null } }, [['operation.digest', 'NOT_NULL']]],
  [
    'no summary',
    { ...DEMAND, operation: { ...operation, summary: [] } },
    [['operation.summary', 'MALFORMED']],
  ],
  [
    'a label that is missing',
    { ...DEMAND, operation: { ...operation, summary: [{ value: 'x' }] } },
    [['operation.summary[0].label', 'NOT_NULL']],
  ],
  [
    'a lone surrogate',
    { ...DEMAND, operation: { ...operation, summary: [{ label: 'x', value: '\ud800' }] } },
    [['operation.summary[0].value', 'MALFORMED']],
  ],
  ['no time at all', { ...DEMAND, expiresInSeconds: 0 }, [['expiresInSeconds', 'MALFORMED']]],
  ['more than a day', { ...DEMAND, expiresInSeconds: 86_401 }, [['expiresInSeconds', 'MALFORMED']]],
  ['half a second', { ...DEMAND, expiresInSeconds: 1.5 }, [['expiresInSeconds', 'MALFORMED']]],
  ['an unknown member', { ...DEMAND, amount: 1 }, [['amount', 'UNKNOWN']]],
] as const) {
  test(`create with ${what} is a BAD_REQUEST that names the field`, async (t) => {
    const { create, store } = await opening(t)

    isError(t, await create(json), 400, 'BAD_REQUEST', {
      family,
      fields: fields as readonly (readonly [string, string])[],
    })
    t.false(store.events.some(({ type }) => type === 'challenge-opened'))
  })
}

test('create asks for a service token with its scope', async (t) => {
  const { create } = await opening(t)

  isError(t, await create(DEMAND, 'k', 'nonsense'), 401, 'UNAUTHORIZED', { family })
  isError(t, await create(DEMAND, 'k', ALICE_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await create(DEMAND, 'k', CRM_TOKEN), 403, 'FORBIDDEN', { family })
})

test('client and subject read the challenge, without its digest and with a masked recipient', async (t) => {
  const { open, issue, store, call } = await opening(t)
  const id = await open()
  await issue(id)
  const issuance = (await store.stepUps.load(id))!.issuance!

  for (const token of [ALICE_TOKEN, 'client.payments']) {
    const reply = await call('GET', `${PATH}/${id}`, { token })
    t.is(reply.status, 200)
    t.deepEqual(reply.body, {
      challengeId: id,
      status: 'pending',
      subjectUserId: 'alice',
      operation: { type: TRANSFER.type, summary: TRANSFER.summary },
      createdAt: NOON.toISOString(),
      expiresAt: afterNoon(900).toISOString(),
      attemptsRemaining: 5,
      issuance: {
        reference: OtpIssuance.reference(issuance),
        recipient: 'a•••@example.com',
        issuedAt: NOON.toISOString(),
        expiresAt: afterNoon(300).toISOString(),
        resendAvailableAt: afterNoon(30).toISOString(),
        codeDigits: 6,
        delivery: 'queued',
      },
    })
  }
})

test('a challenge before its first code has no issuance', async (t) => {
  const { open, call } = await opening(t)

  t.is((await call('GET', `${PATH}/${await open()}`, { token: ALICE_TOKEN })).body.issuance, null)
})

test('to others, and under an unknown id, there is no challenge', async (t) => {
  const { open, call } = await opening(t)
  const id = await open()

  for (const token of ['user.bob', 'client.shop', 'client.alice']) {
    isError(t, await call('GET', `${PATH}/${id}`, { token }), 404, 'CHALLENGE_NOT_FOUND', { family })
  }
  isError(
    t,
    await call('GET', `${PATH}/${randomUUID()}`, { token: ALICE_TOKEN }),
    404,
    'CHALLENGE_NOT_FOUND',
    { family },
  )
  isError(t, await call('GET', `${PATH}/${id}`), 401, 'UNAUTHORIZED', { family })
  isError(
    t,
    await call('GET', `${PATH}/${id.replaceAll('-', '')}`, { token: ALICE_TOKEN }),
    400,
    'BAD_REQUEST',
    {
      family,
    },
  )
})

test('reading changes nothing', async (t) => {
  const { open, call, store } = await opening(t)
  const id = await open()
  const before = await store.stepUps.load(id)

  await call('GET', `${PATH}/${id}`, { token: ALICE_TOKEN })
  await call('HEAD', `${PATH}/${id}`, { token: ALICE_TOKEN })

  t.deepEqual(await store.stepUps.load(id), before)
})

test('client and subject see the brand of the client, and how to write on its colour', async (t) => {
  const logoUrl = 'https://b.example/logo.png'
  const brands = new Map([
    ['payments', { name: 'Bank B', color: '#F2B705', logoUrl }],
    ['other', { name: 'Bank C', color: '#0f4c5c', logoUrl: undefined }],
  ])
  const { call, create } = await opening(t, { brands })
  const { body } = await create(DEMAND)
  const others = await create(DEMAND, randomUUID(), 'client.other.mfa_challenges_create')

  for (const token of [ALICE_TOKEN, 'client.payments']) {
    const reply = await call('GET', `${PATH}/${body.challengeId}`, { token })
    t.deepEqual(reply.body.brand, { name: 'Bank B', color: '#F2B705', textColor: '#000000', logoUrl })
  }
  const reply = await call('GET', `${PATH}/${others.body.challengeId}`, { token: ALICE_TOKEN })
  t.deepEqual(reply.body.brand, { name: 'Bank C', color: '#0f4c5c', textColor: '#ffffff', logoUrl: null })
})

test('a client without a brand of its own shows none', async (t) => {
  const { call, create } = await opening(t, {
    brands: new Map([['other', { name: 'C', color: '#0f4c5c', logoUrl: undefined }]]),
  })
  const { body } = await create(DEMAND)

  const reply = await call('GET', `${PATH}/${body.challengeId}`, { token: ALICE_TOKEN })

  t.false('brand' in reply.body)
})
