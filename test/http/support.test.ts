import test from 'ava'
import { NOON, POLICY } from '../domain/examples.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const MFA = '/internal/v1/mfa'
const READER = 'client.desk.mfa_support_read'
const WRITER = 'client.desk.mfa_support_write'
const EXPORTER = 'client.privacy.mfa_users_export'
const STRICT = { ...POLICY, subjectMaxFailures: 1 }
const family = 'challenge'

test('the support lists the challenges of a user page by page, of every client, without summaries and full addresses', async (t) => {
  const { call, open, issue, clock } = await edge(t)
  const ids: string[] = []
  for (let n = 0; n < 3; n++) {
    ids.unshift(await open())
    clock.pass(1)
  }
  await issue(ids[0]!)
  await open('bob')
  const list = (query: string) =>
    call('GET', `${MFA}/challenges?subjectUserId=alice${query}`, { token: READER })

  const first = await list('&limit=2')
  t.is(first.status, 200)
  t.like(first.body.challenges[0], {
    challengeId: ids[0],
    status: 'pending',
    clientId: 'payments',
    subjectUserId: 'alice',
    operation: { type: 'payments.initiate' },
    issuanceCount: 1,
    issuance: { recipient: 'a•••@example.com', delivery: 'queued' },
  })
  t.is(first.body.challenges[1].issuance, null)
  t.notRegex(JSON.stringify(first.body), /alice@|EUR|summary|digest/)

  const second = await list(`&limit=2&after=${first.body.next}`)
  t.deepEqual(
    [...first.body.challenges, ...second.body.challenges].map(({ challengeId }) => challengeId),
    ids,
  )
  t.is(second.body.next, null)
  t.is((await list('')).body.challenges.length, 3)
  t.deepEqual((await list('&clientId=nobody')).body, { challenges: [], next: null })
})

for (const [what, query, fields] of [
  ['without a user', '', [['subjectUserId', 'NOT_NULL']]],
  ['with an empty user', '?subjectUserId=', [['subjectUserId', 'NOT_BLANK']]],
  ['with two users', '?subjectUserId=alice&subjectUserId=bob', [['subjectUserId', 'MALFORMED']]],
  ['with a NUL in the user', '?subjectUserId=a%00', [['subjectUserId', 'MALFORMED']]],
  ['with a page of 0', '?subjectUserId=alice&limit=0', [['limit', 'MALFORMED']]],
  ['with a page of 101', '?subjectUserId=alice&limit=101', [['limit', 'MALFORMED']]],
  ['with half a page', '?subjectUserId=alice&limit=1.5', [['limit', 'MALFORMED']]],
  ['with a word for a page', '?subjectUserId=alice&limit=all', [['limit', 'MALFORMED']]],
  ['with another cursor', '?subjectUserId=alice&after=2', [['after', 'MALFORMED']]],
  [
    'with a cursor beyond time',
    '?subjectUserId=alice&after=999999999999999.0197a000-0000-7000-8000-0000000000c1',
    [['after', 'MALFORMED']],
  ],
  ['with an unknown parameter', '?subjectUserId=alice&status=locked', [['status', 'UNKNOWN']]],
  ['with a parameter of objects', '?subjectUserId=alice&__proto__=1', [['__proto__', 'UNKNOWN']]],
] as const) {
  test(`a list ${what} is a BAD_REQUEST that names the parameter`, async (t) => {
    const { call } = await edge(t)

    const reply = await call('GET', `${MFA}/challenges${query}`, { token: READER })

    isError(t, reply, 400, 'BAD_REQUEST', { family, fields })
  })
}

test('the standing of a user says what counts against them, and masks their address', async (t) => {
  const { call, open, issue, initiate, verifyJson } = await edge(t, { policy: STRICT })
  const id = await open()
  await issue(id)
  await verifyJson(id, { totp: '777777' })
  t.is((await initiate(id)).status, 403)
  const until = new Date(NOON.getTime() + POLICY.subjectLockInSeconds * 1000).toISOString()

  const { status, body } = await call('GET', `${MFA}/users/alice/standing`, { token: READER })

  t.is(status, 200)
  t.deepEqual(body, {
    userId: 'alice',
    lockedUntil: until,
    attemptsRemaining: 0,
    consecutiveFailures: 0,
    consecutiveLocks: 1,
    issuancesOfLastHour: 1,
    noCodeUntil: until,
    directory: 'present',
    address: { masked: 'a•••@example.com', suppressed: false },
    suppression: null,
  })
})

test('a suppressed address is masked in the standing, with its reason', async (t) => {
  const { call, open, issue, store, recordMailEvent } = await edge(t)
  const id = await open()
  await issue(id)
  const { issuance } = (await store.stepUps.load(id))!
  await recordMailEvent.execute({
    issuanceId: issuance!.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
    origin: undefined,
  })

  const { body } = await call('GET', `${MFA}/users/alice/standing`, { token: READER })

  t.deepEqual(body.address, { masked: 'a•••@example.com', suppressed: true })
  const suppression = { masked: 'a•••@example.com', reason: 'hard-bounce', since: NOON.toISOString() }
  t.deepEqual(body.suppression, suppression)
})

test('a user whom nobody knows has no standing, and one without an entry has one', async (t) => {
  const { call, open } = await edge(t)
  await open('bob')
  const standing = (userId: string) => call('GET', `${MFA}/users/${userId}/standing`, { token: READER })

  isError(t, await standing('nobody'), 404, 'USER_NOT_FOUND', { family })
  t.like((await standing('bob')).body, { directory: 'no-address', address: null, attemptsRemaining: 5 })
  isError(t, await standing('%00'), 400, 'BAD_REQUEST', { family })
})

test('an unlocked user gets codes again, and the event names the client that asked', async (t) => {
  const { call, open, issue, initiate, verifyJson, store } = await edge(t, { policy: STRICT })
  const id = await open()
  await issue(id)
  await verifyJson(id, { totp: '777777' })
  const other = await open()
  t.is((await initiate(other)).status, 403)
  const unlock = () => call('POST', `${MFA}/users/alice:unlock`, { token: WRITER })

  t.is((await unlock()).status, 204)
  t.is((await unlock()).status, 204)

  t.is((await initiate(other)).status, 204)
  const unlockings = store.events.filter(({ type }) => type === 'subject-unlocked')
  t.is(unlockings.length, 1)
  t.like(unlockings[0], { actor: 'client:desk', subjectUserId: 'alice' })
})

test('a user id that is none is refused, and unlocks nobody', async (t) => {
  const { call, store } = await edge(t)

  const reply = await call('POST', `${MFA}/users/${'u'.repeat(300)}:unlock`, { token: WRITER })

  isError(t, reply, 400, 'BAD_REQUEST', { family })
  t.false(store.events.some(({ type }) => type === 'subject-unlocked'))
})

test('the user id before the verb may hold a colon, and an encoded slash', async (t) => {
  const { call, logLines } = await edge(t)

  const reply = await call('POST', `${MFA}/users/auth0%7C5f%2F7:x:unlock`, { token: WRITER })

  t.is(reply.status, 204)
  t.like(logLines.at(-1), { subject: 'auth0|5f/7:x', caller: 'client:desk' })
})

test('an export has whole addresses and summaries, and says when it was made', async (t) => {
  const { call, open } = await edge(t)
  const id = await open()

  const { status, body } = await call('GET', `${MFA}/users/alice/export`, { token: EXPORTER })

  t.is(status, 200)
  t.like(body, { userId: 'alice', exportedAt: NOON.toISOString() })
  t.is(body.tables.users[0].email, 'alice@example.com')
  t.like(body.tables.challenges, { 0: { id }, length: 1 })
  isError(t, await call('GET', `${MFA}/users/%00/export`, { token: EXPORTER }), 400, 'BAD_REQUEST', {
    family,
  })
})

test('about a user whom nobody knows nothing is exported', async (t) => {
  const { call } = await edge(t)

  const { status, body } = await call('GET', `${MFA}/users/nobody/export`, { token: EXPORTER })

  t.is(status, 200)
  t.true(Object.values<unknown[]>(body.tables).every((rows) => rows.length === 0))
})

test('each call of the support asks for its own scope', async (t) => {
  const { call } = await edge(t)
  const calls = [
    ['GET', `${MFA}/challenges?subjectUserId=alice`, READER],
    ['GET', `${MFA}/users/alice/standing`, READER],
    ['POST', `${MFA}/users/alice:unlock`, WRITER],
    ['GET', `${MFA}/users/alice/export`, EXPORTER],
  ] as const

  for (const [method, path, right] of calls) {
    t.true((await call(method, path, { token: right })).status < 300)
    isError(t, await call(method, path), 401, 'UNAUTHORIZED', { family })
    const others = [READER, WRITER, EXPORTER].filter((token) => token !== right)
    for (const token of [ALICE_TOKEN, PAYMENTS_TOKEN, CRM_TOKEN, ...others]) {
      isError(t, await call(method, path, { token }), 403, 'FORBIDDEN', { family })
    }
  }
})
