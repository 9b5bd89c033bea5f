import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { StorageUnavailable } from '../../src/contracts/storage-unavailable.ts'
import { afterNoon } from '../domain/examples.ts'
import type { CallInit } from '../support/http-call.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError, PAYMENTS_TOKEN, WEBHOOK_AUTH } from './edge.ts'

const PATH = '/webhooks/postmark'
const family = 'challenge'

/* Members and forms as in Postmark's documentation of its webhooks. */

const common = (issuanceId: string) => ({
  MessageID: '883953f4-6105-42a2-a16a-77a8eac79483',
  ServerID: 23,
  MessageStream: 'outbound',
  Tag: 'otp',
  Metadata: { issuance: issuanceId },
})

const delivery = (issuanceId: string) => ({
  ...common(issuanceId),
  RecordType: 'Delivery',
  Recipient: 'alice@example.com',
  DeliveredAt: '2030-01-01T12:00:03.1234567Z',
  Details: '250 2.0.0 OK 1d4',
})

const bounce = (issuanceId: string, changes: object = {}) => ({
  ...common(issuanceId),
  RecordType: 'Bounce',
  ID: 42,
  Type: 'HardBounce',
  TypeCode: 1,
  Name: 'Hard bounce',
  Description: 'The server was unable to deliver your message (ex: unknown user, mailbox not found).',
  Details: 'smtp;550 5.1.1 <alice@example.com> unknown',
  Email: 'alice@example.com',
  From: 'no-reply@bank.example',
  // With an offset, as in older examples.
  BouncedAt: '2030-01-01T07:00:04.2735393-05:00',
  DumpAvailable: true,
  Inactive: true,
  CanActivate: true,
  Subject: 'Your code',
  Content: '<Full dump of the bounce: 000001>',
  ...changes,
})

const complaint = (issuanceId: string) => ({
  ...bounce(issuanceId, {
    RecordType: 'SpamComplaint',
    Type: 'SpamComplaint',
    TypeCode: 512,
    Name: 'Spam complaint',
    CanActivate: false,
    Content: '<Abuse report dump: 000001>',
  }),
})

const subscriptionChange = (changes: object) => ({
  ...common(''),
  RecordType: 'SubscriptionChange',
  ChangedAt: '2030-01-01T12:00:05.416071Z',
  Recipient: 'alice@example.com',
  Origin: 'Recipient',
  SuppressSending: true,
  SuppressionReason: 'HardBounce',
  ...changes,
})

const reactivation = subscriptionChange({
  MessageID: null,
  Origin: 'Customer',
  SuppressSending: false,
  SuppressionReason: null,
  Tag: null,
  Metadata: {},
})

const basic = (credentials: string) => ({
  Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
})

/** The edge, with a mail to Alice that was handed over. */
async function mailed(t: ExecutionContext) {
  const all = await edge(t)
  const id = await all.open()
  await all.issue(id)
  await all.deliver()
  all.clock.pass(60)
  const stepUp = async () => (await all.store.stepUps.load(id))!
  return {
    ...{ ...all, id, stepUp, issuanceId: (await stepUp()).issuance!.id },
    report: (json: unknown, init: CallInit = {}) =>
      all.call('POST', PATH, { json, headers: basic(WEBHOOK_AUTH), ...init }),
    inspect: async () =>
      (await all.call('GET', `/internal/v1/mfa/challenges/${id}`, { token: ALICE_TOKEN })).body.issuance,
  }
}

test('a delivery is answered 200 with an empty object, and shows in the challenge with its time', async (t) => {
  const { report, inspect, issuanceId } = await mailed(t)
  t.like(await inspect(), { delivery: 'sent', sentAt: '2030-01-01T12:00:00.000Z' })

  const reply = await report(delivery(issuanceId))

  t.is(reply.status, 200)
  t.deepEqual(reply.body, {})
  const issuance = await inspect()
  t.like(issuance, {
    delivery: 'delivered',
    sentAt: '2030-01-01T12:00:00.000Z',
    deliveredAt: '2030-01-01T12:00:03.123Z',
  })
  t.false('bouncedAt' in issuance || 'failedAt' in issuance)
})

for (const [what, payload] of [
  ['a hard bounce', bounce],
  ['a complaint', complaint],
] as const) {
  test(`${what} shows in the challenge, and the next initiate is USER_NOT_FOUND at once`, async (t) => {
    const { report, inspect, initiate, open, issuanceId } = await mailed(t)

    t.is((await report(payload(issuanceId))).status, 200)

    const issuance = await inspect()
    t.like(issuance, { delivery: 'bounced', bouncedAt: '2030-01-01T12:00:04.273Z', resendAvailableAt: null })
    isError(t, await initiate(await open()), 400, 'USER_NOT_FOUND')
  })
}

test('a mail that waits shows in the challenge as sent and delayed, until it arrives', async (t) => {
  const { report, inspect, issuanceId } = await mailed(t)

  t.is((await report(bounce(issuanceId, { Type: 'Transient', TypeCode: 2, Inactive: false }))).status, 200)
  t.like(await inspect(), { delivery: 'sent', delayedAt: '2030-01-01T12:00:04.273Z' })

  await report({ ...delivery(issuanceId), DeliveredAt: '2030-01-01T12:00:30Z' })
  t.like(await inspect(), {
    delivery: 'delivered',
    delayedAt: '2030-01-01T12:00:04.273Z',
    deliveredAt: '2030-01-01T12:00:30.000Z',
  })
})

test('a bounce that may pass shows in the challenge, and the next initiate sends again', async (t) => {
  const { report, inspect, initiate, id, issuanceId } = await mailed(t)

  await report(bounce(issuanceId, { Type: 'SoftBounce', TypeCode: 4096, Inactive: false }))

  t.like(await inspect(), { delivery: 'bounced' })
  t.is((await initiate(id)).status, 204)
})

for (const [type, inactive, delivered, suppressed] of [
  ['HardBounce', true, 'bounced', true],
  ['HardBounce', false, 'bounced', true],
  ['BadEmailAddress', false, 'bounced', true],
  ['SpamComplaint', true, 'bounced', true],
  ['Blocked', false, 'bounced', false],
  ['DnsError', false, 'bounced', false],
  ['SomethingNew', false, 'bounced', false],
  // Whatever it is called, Postmark will not send there.
  ['SoftBounce', true, 'bounced', true],
  ['AutoResponder', false, 'sent', false],
  ['Transient', false, 'sent', false],
  ['Transient', true, 'bounced', true],
] as const) {
  test(`a bounce of type ${type} that leaves the address ${inactive ? 'inactive' : 'active'} makes the mail ${delivered}${suppressed ? ' and the address unusable' : ''}`, async (t) => {
    const { report, stepUp, issuanceId } = await mailed(t)

    t.is((await report(bounce(issuanceId, { Type: type, Inactive: inactive }))).status, 200)

    const { issuance, standing } = await stepUp()
    t.is(issuance?.status, delivered)
    t.is(standing.suppression !== undefined, suppressed)
  })
}

for (const [reason, delivered] of [
  ['HardBounce', 'bounced'],
  ['SpamComplaint', 'bounced'],
  ['ManualSuppression', 'sent'],
  ['SomethingNew', 'sent'],
  [null, 'sent'],
] as const) {
  test(`a suppression for ${reason} that a mail of ours has caused takes the address out of use`, async (t) => {
    const { report, stepUp, initiate, open, issuanceId } = await mailed(t)

    await report(subscriptionChange({ SuppressionReason: reason, Metadata: { issuance: issuanceId } }))

    t.is((await stepUp()).issuance?.status, delivered)
    isError(t, await initiate(await open()), 400, 'USER_NOT_FOUND')
  })
}

test('a reactivation, which names the address alone, puts it back into use', async (t) => {
  const { report, initiate, id, issuanceId } = await mailed(t)
  await report(bounce(issuanceId))
  isError(t, await initiate(id), 400, 'USER_NOT_FOUND')

  t.is((await report(reactivation)).status, 200)

  t.is((await initiate(id)).status, 204)
})

for (const email of ['alice@EXAMPLE.com', 'Alice@example.com', 'ALICE@EXAMPLE.COM']) {
  test(`after a hard bounce the spelling ${email} of the address gets no mail either`, async (t) => {
    const { call, report, initiate, open, issuanceId } = await mailed(t)
    await report(bounce(issuanceId))

    await call('PUT', '/internal/v1/mfa/users/alice', { token: CRM_TOKEN, json: { email } })

    isError(t, await initiate(await open()), 400, 'USER_NOT_FOUND')
  })
}

for (const email of ['alice+bank@example.com', 'alice@example.org']) {
  test(`after a hard bounce another mailbox, ${email}, gets mail`, async (t) => {
    const { call, report, initiate, open, issuanceId } = await mailed(t)
    await report(bounce(issuanceId))

    await call('PUT', '/internal/v1/mfa/users/alice', { token: CRM_TOKEN, json: { email } })

    t.is((await initiate(await open())).status, 204)
  })
}

for (const Recipient of ['ALICE@Example.com', 'alice@example.com.', '"alice"@example.com']) {
  test(`a reactivation that spells the address ${Recipient} puts it back into use`, async (t) => {
    const { report, initiate, id, issuanceId } = await mailed(t)
    await report(bounce(issuanceId))

    t.is((await report({ ...reactivation, Recipient })).status, 200)

    t.is((await initiate(id)).status, 204)
  })
}

test('a reactivation that names no address is accepted and changes nothing', async (t) => {
  const { report, initiate, id, issuanceId } = await mailed(t)
  await report(bounce(issuanceId))

  t.is((await report({ ...reactivation, Recipient: 'alice' })).status, 200)

  isError(t, await initiate(id), 400, 'USER_NOT_FOUND')
})

test('a suppression by hand, which names the address alone, is accepted and ignored', async (t) => {
  const { report, initiate, id, logLines } = await mailed(t)

  const manual = subscriptionChange({
    MessageID: null,
    Origin: 'Customer',
    SuppressionReason: 'ManualSuppression',
    Metadata: {},
  })
  t.is((await report(manual)).status, 200)

  t.is((await initiate(id)).status, 204)
  t.like(
    logLines.find(({ msg }) => msg === 'mail report'),
    { about: 'nothing of ours', reception: 'ignored' },
  )
})

test('events in any order, each twice, come to the same', async (t) => {
  const orders = [
    [delivery, bounce, complaint],
    [complaint, delivery, bounce],
    [bounce, complaint, delivery],
  ]
  for (const order of orders) {
    const { report, inspect, stepUp, issuanceId } = await mailed(t)
    for (const payload of [...order, ...order]) {
      t.is((await report(payload(issuanceId))).status, 200)
    }

    const { delivery: state, sentAt, deliveredAt, bouncedAt } = await inspect()
    t.deepEqual(
      { state, sentAt, deliveredAt, bouncedAt },
      {
        state: 'bounced',
        sentAt: '2030-01-01T12:00:00.000Z',
        deliveredAt: '2030-01-01T12:00:03.123Z',
        bouncedAt: '2030-01-01T12:00:04.273Z',
      },
    )
    t.like((await stepUp()).issuance, { kind: 'complaint' })
  }
})

for (const [what, payload, reception] of [
  ['an unknown issuance', delivery(randomUUID()), 'unknown'],
  // The database would refuse the one, and take the other for the id that it is in lower case.
  ['an issuance id that is none', delivery('00000000-0000-0000-0000-00000000000G'), 'ignored'],
  ['an issuance id in upper case', delivery(randomUUID().toUpperCase()), 'ignored'],
  ['no metadata', { ...delivery(''), Metadata: {} }, 'ignored'],
  ['null for metadata', { ...delivery(''), Metadata: null }, 'ignored'],
  ['the metadata of a lock notice', { ...delivery(''), Metadata: { notice: randomUUID() } }, 'ignored'],
  ['metadata of others', { ...delivery(''), Metadata: { user_id: 43 } }, 'ignored'],
  ['text for metadata', { ...delivery(''), Metadata: 'x' }, 'ignored'],
  ['an event of no interest', { ...common(randomUUID()), RecordType: 'Open', FirstOpen: true }, 'ignored'],
  ['an address of nobody', { ...reactivation, Recipient: 'nobody@example.com' }, 'unknown'],
] as const) {
  test(`${what} is accepted and ignored`, async (t) => {
    const { report, store, logLines } = await mailed(t)
    const events = store.events.length

    const reply = await report(payload)

    t.is(reply.status, 200)
    t.is(store.events.length, events)
    t.is(logLines.find(({ msg }) => msg === 'mail report')?.reception, reception)
  })
}

for (const [what, headers] of [
  ['no credentials', {}],
  ['another password', basic('postmark:correct-horse-batterx')],
  ['another user', basic('postmaster:correct-horse-battery')],
  ['a longer password', basic(`${WEBHOOK_AUTH}y`)],
  ['nothing behind the scheme', { Authorization: 'Basic ' }],
  ['something that is not Base64', { Authorization: 'Basic %%%' }],
  ['a bearer token', { Authorization: `Bearer ${CRM_TOKEN}` }],
  ['the credentials themselves', { Authorization: WEBHOOK_AUTH }],
] as const) {
  test(`${what} is UNAUTHORIZED, never forbidden, and asks for Basic credentials`, async (t) => {
    const { report, stepUp, issuanceId } = await mailed(t)

    const reply = await report(delivery(issuanceId), { headers })

    isError(t, reply, 401, 'UNAUTHORIZED', { family })
    t.regex(reply.headers.get('WWW-Authenticate') ?? '', /^Basic realm="/)
    t.is((await stepUp()).issuance?.status, 'sent')
  })
}

test('without credentials to ask for there is no webhook', async (t) => {
  const { call } = await edge(t, { webhook: false })

  const reply = await call('POST', PATH, { json: {}, headers: basic(WEBHOOK_AUTH) })

  isError(t, reply, 404, 'RESOURCE_UNKNOWN', { family })
})

test('credentials come before the body', async (t) => {
  const { call } = await mailed(t)

  isError(t, await call('POST', PATH, { body: 'x' }), 401, 'UNAUTHORIZED', { family })
})

test('the scheme is Basic in any case', async (t) => {
  const { report, issuanceId } = await mailed(t)
  const { Authorization } = basic(WEBHOOK_AUTH)

  const reply = await report(delivery(issuanceId), {
    headers: { Authorization: Authorization.replace('Basic', 'bAsIc') },
  })

  t.is(reply.status, 200)
})

for (const [what, json] of [
  ['an array', []],
  ['no record type', { ...delivery(randomUUID()), RecordType: undefined }],
  ['a time that is none', { ...delivery(randomUUID()), DeliveredAt: 'yesterday' }],
  ['no time', { ...bounce(randomUUID()), BouncedAt: undefined }],
  ['no recipient', { ...reactivation, Recipient: undefined }],
  ['a NUL in the recipient', { ...reactivation, Recipient: 'alice\u0000@example.com' }],
] as const) {
  test(`${what} is a BAD_REQUEST`, async (t) => {
    const { report } = await mailed(t)

    isError(t, await report(json), 400, 'BAD_REQUEST', { family })
  })
}

for (const [what, init, status] of [
  ['broken JSON', { body: '{', headers: { 'Content-Type': 'application/json' } }, 400],
  [
    'a form',
    { body: 'RecordType=Delivery', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    415,
  ],
  [
    'JSON in another charset',
    { body: '{}', headers: { 'Content-Type': 'application/json; charset=utf-16' } },
    415,
  ],
  [
    'a compressed body',
    { body: '{}', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } },
    415,
  ],
] as const) {
  test(`${what} is answered ${status}`, async (t) => {
    const { call } = await mailed(t)

    const reply = await call('POST', PATH, {
      body: init.body,
      headers: { ...basic(WEBHOOK_AUTH), ...init.headers },
    })

    isError(t, reply, status, 'BAD_REQUEST', { family })
  })
}

test('a body may be 64 KiB, and no more', async (t) => {
  const { report, issuanceId } = await mailed(t)
  const ofSize = (bytes: number) => {
    const rest = JSON.stringify({ ...bounce(issuanceId), Content: '' }).length
    return { ...bounce(issuanceId), Content: 'x'.repeat(bytes - rest) }
  }

  t.is((await report(ofSize(64 * 1024))).status, 200)
  isError(t, await report(ofSize(64 * 1024 + 1)), 413, 'BAD_REQUEST', { family })
})

test('a database that is away is a 503, after which Postmark comes again', async (t) => {
  const { report, store, stepUp, issuanceId } = await mailed(t)
  const save = store.mailOutcomes.save
  store.mailOutcomes.save = () => Promise.reject(new StorageUnavailable('gone'))
  isError(t, await report(delivery(issuanceId)), 503, 'INTERNAL_SERVER_ERROR', { family })

  store.mailOutcomes.save = save
  t.is((await report(delivery(issuanceId))).status, 200)
  t.is((await stepUp()).issuance?.status, 'delivered')
})

test('neither log nor trail holds credentials, an address or anything of the mail', async (t) => {
  const { report, call, store, logLines, issuanceId } = await mailed(t)
  for (const json of [
    delivery(issuanceId),
    bounce(issuanceId),
    complaint(issuanceId),
    reactivation,
    { a: 1 },
  ])
    await report(json)
  await report(delivery(issuanceId), { headers: basic('postmark:wrong-horse-battery') })
  await call('DELETE', '/internal/v1/mfa/users/alice/suppression', { token: CRM_TOKEN })

  const written = JSON.stringify([logLines, store.events])
  for (const secret of [
    'horse',
    basic(WEBHOOK_AUTH).Authorization.slice(6),
    'alice@',
    '000001',
    'dump',
    '250 2.0',
  ])
    t.false(written.includes(secret), secret)
  t.like(
    logLines.find(({ msg }) => msg === 'mail report'),
    { about: 'mail', issuanceId, reception: 'stored' },
  )
})

test('a lifted suppression is 204, again 204, and lets codes out again', async (t) => {
  const { call, report, initiate, id, issuanceId } = await mailed(t)
  const lift = (userId = 'alice', token = CRM_TOKEN) =>
    call('DELETE', `/internal/v1/mfa/users/${userId}/suppression`, { token })
  await report(bounce(issuanceId))
  isError(t, await initiate(id), 400, 'USER_NOT_FOUND')

  t.is((await lift()).status, 204)
  t.is((await lift()).status, 204)
  t.is((await initiate(id)).status, 204)

  t.is((await lift('nobody')).status, 204)
  isError(t, await lift('%00'), 400, 'BAD_REQUEST', { family })
  isError(t, await lift('alice', PAYMENTS_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await lift('alice', ALICE_TOKEN), 403, 'FORBIDDEN', { family })
})

test('a mail that failed says when', async (t) => {
  const { call, open, issue, deliver, transport, clock } = await edge(t)
  const id = await open()
  await issue(id)
  transport.mode = 'refusing'
  clock.pass(1)
  await deliver()

  const { issuance } = (await call('GET', `/internal/v1/mfa/challenges/${id}`, { token: ALICE_TOKEN })).body
  t.like(issuance, { delivery: 'failed', failedAt: afterNoon(1).toISOString() })
  t.false('sentAt' in issuance)
})
