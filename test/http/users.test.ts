import test from 'ava'
import { ApiDocument } from '../support/api-document.ts'
import { ALICE_TOKEN, CRM_TOKEN, edge, isError, PAYMENTS_TOKEN } from './edge.ts'

const PATH = '/internal/v1/mfa/users'
const BOB = { email: 'bob@example.com', locale: 'de-AT', displayName: 'Bob' }
const family = 'challenge'

test('a put user is created with 201 and updated with 200', async (t) => {
  const { call } = await edge(t)

  const created = await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: BOB })
  t.is(created.status, 201)
  t.deepEqual(created.body, { userId: 'bob', ...BOB })

  const updated = await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: { email: BOB.email } })
  t.is(updated.status, 200)
  t.deepEqual(updated.body, { userId: 'bob', email: BOB.email })
})

test('a user id may hold what tokens hold', async (t) => {
  const { call } = await edge(t)

  const reply = await call('PUT', `${PATH}/auth0%7C5f%2F7`, { token: CRM_TOKEN, json: BOB })

  t.is(reply.body.userId, 'auth0|5f/7')
})

test('a changed address ends the live challenges of the user', async (t) => {
  const { call, open, store } = await edge(t)
  const id = await open()

  await call('PUT', `${PATH}/alice`, { token: CRM_TOKEN, json: { email: 'alice@elsewhere.example' } })

  t.is((await store.stepUps.load(id))?.challenge.status, 'cancelled')
})

for (const [what, json, fields] of [
  ['no address', {}, [['email', 'NOT_NULL']]],
  ['a blank address', { email: '' }, [['email', 'NOT_BLANK']]],
  ['two addresses', { email: 'a@example.com, b@example.com' }, [['email', 'MALFORMED']]],
  ['a header in the address', { email: 'a@example.com\r\nBcc: b@example.com' }, [['email', 'MALFORMED']]],
  ['a locale that is no text', { ...BOB, locale: 7 }, [['locale', 'MALFORMED']]],
  ['a line feed in the name', { ...BOB, displayName: 'Bob\nAlice' }, [['displayName', 'MALFORMED']]],
  ['an unknown member', { ...BOB, phone: '1' }, [['phone', 'UNKNOWN']]],
] as const) {
  test(`put with ${what} is a BAD_REQUEST that names the field`, async (t) => {
    const { call } = await edge(t)

    isError(t, await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json }), 400, 'BAD_REQUEST', {
      family,
      fields,
    })
  })
}

test('a locale as Java writes it is stored as a language tag', async (t) => {
  const { call, logLines } = await edge(t)

  const reply = await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: { ...BOB, locale: 'de_AT' } })

  t.is(reply.status, 201)
  t.is(reply.body.locale, 'de-AT')
  t.false(logLines.some(({ level }) => level === 40))
})

for (const locale of ['', 'German, Austria', 'de\r\nX: y', 'a'.repeat(10_000)]) {
  test(`the locale ${JSON.stringify(locale.slice(0, 20))} refuses no user, and the log has a warning without it`, async (t) => {
    const { call, logLines } = await edge(t)

    const reply = await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: { ...BOB, locale } })

    t.is(reply.status, 201)
    t.deepEqual(reply.body, { userId: 'bob', email: BOB.email, displayName: BOB.displayName })
    const [warning, ...others] = logLines.filter(({ level }) => level === 40)
    t.like(warning, { msg: 'request', warning: 'locale unreadable', subject: 'bob', status: 201 })
    t.deepEqual(others, [])
    if (locale !== '') t.false(JSON.stringify(logLines).includes(locale))
  })
}

test('an address that changes only by its case ends no challenge', async (t) => {
  const { call, open, issue, initiate, verifyJson, store } = await edge(t)
  const id = await open()
  await issue(id)

  const reply = await call('PUT', `${PATH}/alice`, { token: CRM_TOKEN, json: { email: 'Alice@EXAMPLE.com' } })

  t.is(reply.body.email, 'Alice@EXAMPLE.com')
  t.is((await store.stepUps.load(id))?.challenge.status, 'pending')
  t.is((await initiate(id)).status, 429)
  t.is((await verifyJson(id, { totp: '000001' })).status, 204)
})

test('an internationalised domain is stored as its A-labels, and another spelling of it ends no challenge', async (t) => {
  const { call, open, store } = await edge(t)
  const put = (email: string) => call('PUT', `${PATH}/alice`, { token: CRM_TOKEN, json: { email } })

  t.is((await put('info@bücher.example')).body.email, 'info@xn--bcher-kva.example')
  const id = await open()
  t.is((await put('info@BU\u0308CHER.example')).body.email, 'info@xn--bcher-kva.example')

  t.is((await store.stepUps.load(id))?.challenge.status, 'pending')
  const found = await call('GET', `${PATH}/alice`, { token: READER })
  t.is(found.body.email, 'info@xn--bcher-kva.example')
})

for (const [email, message] of [
  ['jürgen@example.com', 'The part of the address before the @ must be ASCII'],
  ['info@℀.example', 'The domain of the address is not a domain name (UTS #46)'],
] as const) {
  test(`an address that no mail system can use is refused with its reason: ${message}`, async (t) => {
    const { call } = await edge(t)

    const reply = await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: { email } })

    t.is(reply.status, 400)
    t.deepEqual(
      reply.body.fieldErrors?.map((fault: { message: string }) => fault.message),
      [message],
    )
  })
}

for (const userId of ['%00', '%0a', 'b%C3%B6b', 'a'.repeat(256), '%20']) {
  test(`a user id of ${userId.slice(0, 10)} is a BAD_REQUEST`, async (t) => {
    const { call } = await edge(t)

    isError(t, await call('PUT', `${PATH}/${userId}`, { token: CRM_TOKEN, json: BOB }), 400, 'BAD_REQUEST', {
      family,
    })
  })
}

const document = ApiDocument.read()

for (const [what, accepted, entry] of [
  ['a local part of 64 characters', true, { email: `${'l'.repeat(64)}@example.com` }],
  ['a local part of 65 characters', false, { email: `${'l'.repeat(65)}@example.com` }],
  ['a name with blanks around it', true, { ...BOB, displayName: ' Bob ' }],
  ['a name of blanks', false, { ...BOB, displayName: ' \u00a0 ' }],
  ['a name and a line feed', false, { ...BOB, displayName: 'Bob\n' }],
  ['a name of 100 characters', true, { ...BOB, displayName: 'b'.repeat(100) }],
  [
    'a name of 101 characters, one of them a blank at the end',
    false,
    { ...BOB, displayName: `${'b'.repeat(100)} ` },
  ],
] as const) {
  test(`${what} is ${accepted ? 'accepted' : 'refused'}, as the document says`, async (t) => {
    const { call } = await edge(t)

    const { status } = await call('PUT', '/internal/v1/mfa/users/bob', { token: CRM_TOKEN, json: entry })

    t.is(status, accepted ? 201 : 400)
    t.is(document.faultsOfValue({ $ref: 'schema:DirectoryEntry' }, entry).length === 0, accepted)
  })
}

test('put asks for a service token with its scope', async (t) => {
  const { call } = await edge(t)
  const put = (token?: string) => call('PUT', `${PATH}/bob`, { ...(token && { token }), json: BOB })

  isError(t, await put(), 401, 'UNAUTHORIZED', { family })
  isError(t, await put(ALICE_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await put(PAYMENTS_TOKEN), 403, 'FORBIDDEN', { family })
})

const READER = 'client.crm.mfa_users_read'

test('a user is read as put, and is USER_NOT_FOUND before and after', async (t) => {
  const { call } = await edge(t)
  const get = (token = READER) => call('GET', `${PATH}/bob`, { token })
  isError(t, await get(), 404, 'USER_NOT_FOUND', { family })

  await call('PUT', `${PATH}/bob`, { token: CRM_TOKEN, json: BOB })
  t.deepEqual((await get()).body, { userId: 'bob', ...BOB })
  isError(t, await get(CRM_TOKEN), 403, 'FORBIDDEN', { family })
  isError(t, await call('GET', `${PATH}/%00`, { token: READER }), 400, 'BAD_REQUEST', { family })

  t.is((await call('DELETE', `${PATH}/bob`, { token: CRM_TOKEN })).status, 204)
  isError(t, await get(), 404, 'USER_NOT_FOUND', { family })
})

test('delete answers 204 also to a user that nobody knows, and asks for its scope', async (t) => {
  const { call } = await edge(t)

  t.is((await call('DELETE', `${PATH}/nobody`, { token: CRM_TOKEN })).status, 204)
  isError(t, await call('DELETE', `${PATH}/alice`, { token: READER }), 403, 'FORBIDDEN', { family })
  isError(t, await call('DELETE', `${PATH}/%00`, { token: CRM_TOKEN }), 400, 'BAD_REQUEST', { family })
})

test('a deleted user has no live challenge left', async (t) => {
  const { call, open, store } = await edge(t)
  const id = await open()

  await call('DELETE', `${PATH}/alice`, { token: CRM_TOKEN })

  t.is((await store.stepUps.load(id))?.challenge.status, 'cancelled')
})

test('where the users are kept elsewhere, they are not put here, and can still be erased', async (t) => {
  const { call, open, issue, store } = await edge(t, { usersElsewhere: true })
  const id = await open()
  await issue(id)

  const reply = await call('PUT', `${PATH}/alice`, { token: CRM_TOKEN, json: BOB })
  isError(t, reply, 405, 'RESOURCE_UNKNOWN', { family })
  t.is(reply.headers.get('Allow'), 'HEAD, GET, DELETE')

  t.is((await call('DELETE', `${PATH}/alice`, { token: CRM_TOKEN })).status, 204)
  const stepUp = await store.stepUps.load(id)
  t.is(stepUp?.challenge.status, 'cancelled')
  t.not(stepUp?.issuance?.recipient, 'alice@example.com')
})
