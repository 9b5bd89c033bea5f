import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import {
  type KeycloakOptions,
  KeycloakUserDirectory,
} from '../../../src/adapters/directory-keycloak/keycloak-user-directory.ts'
import { DirectoryUnavailable, type UserDirectory } from '../../../src/application/ports/user-directory.ts'
import { ALICE, NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const ID = '5b1a4c1e-7d0f-4e5b-9a43-0c9be2f1a001'
/** Holds what a form has to encode. */
const SECRET = 's3cr&t+=%:ü'
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzdmMifQ.c2ln'
const TOKEN_PATH = '/realms/bank/protocol/openid-connect/token'
const USER_PATH = `/admin/realms/bank/users/${ID}`

/** As `GET /admin/realms/{realm}/users/{id}` shows a user. */
const REPRESENTATION = {
  id: ID,
  username: 'alice',
  firstName: 'Alice',
  lastName: 'Archer',
  email: ALICE as string,
  emailVerified: true,
  attributes: { locale: ['de-CH'], department: ['42'] },
  enabled: true,
  createdTimestamp: 1_893_456_000_000,
  totp: false,
  disableableCredentialTypes: [],
  requiredActions: [],
  notBefore: 0,
  access: { manage: false },
}
const ENTRY = { userId: ID, email: ALICE, locale: 'de-CH', displayName: 'Alice Archer' }

const userId = (number: number) => `5b1a4c1e-7d0f-4e5b-9a43-${String(number).padStart(12, '0')}`

async function serve(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function respond(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
}

type Answer = (response: ServerResponse) => void

interface Keycloak {
  readonly url: string
  /** The calls it got, as `GET /path`. */
  readonly calls: string[]
  /** Who is in the realm, by id; anyone who is not asked for by another id. */
  readonly users: Map<string, unknown>
  /** The tokens that it accepts. */
  readonly live: Set<string>
  expiresIn: number
  /** Answers instead of it. */
  onToken: Answer | undefined
  onUser: Answer | undefined
}

/** The token endpoint and the users endpoint of the realm `bank`, as Keycloak's documentation describes them. */
async function keycloak(t: ExecutionContext, prefix = ''): Promise<Keycloak> {
  const url = await serve(t, async (request, response) => {
    const { method, url = '', headers } = request
    const body = await text(request)
    realm.calls.push(`${method} ${url}`)

    if (method === 'POST' && url === `${prefix}${TOKEN_PATH}`) {
      if (realm.onToken) return realm.onToken(response)
      const form = new URLSearchParams(body)
      if (form.get('grant_type') !== 'client_credentials') {
        return respond(response, 400, { error: 'unsupported_grant_type' })
      }
      if (form.get('client_id') !== 'countersign' || form.get('client_secret') !== SECRET) {
        return respond(response, 401, { error: 'unauthorized_client', error_description: 'Invalid client' })
      }
      issued += 1
      realm.live.add(`${TOKEN}${issued}`)
      return respond(response, 200, {
        access_token: `${TOKEN}${issued}`,
        expires_in: realm.expiresIn,
        refresh_expires_in: 0,
        token_type: 'Bearer',
        'not-before-policy': 0,
        scope: 'profile email',
      })
    }

    const [, id] = url.slice(prefix.length).match(/^\/admin\/realms\/bank\/users\/([^/?]+)$/) ?? []
    if (method !== 'GET' || id === undefined) return respond(response, 404, { error: 'HTTP 404 Not Found' })
    if (realm.onUser) return realm.onUser(response)
    const userId = decodeURIComponent(id)
    const token = headers.authorization?.match(/^Bearer (.+)$/)?.[1] ?? ''
    if (!realm.live.has(token)) return respond(response, 401, { error: 'HTTP 401 Unauthorized' })
    if (!realm.users.has(userId)) return respond(response, 404, { error: 'User not found' })
    respond(response, 200, realm.users.get(userId))
  })
  let issued = 0
  const realm: Keycloak = {
    url: `${url}${prefix}`,
    calls: [],
    users: new Map([[ID, REPRESENTATION]]),
    live: new Set(),
    expiresIn: 60,
    onToken: undefined,
    onUser: undefined,
  }
  return realm
}

/** No test but those of the time-out may meet it, on a busy machine neither. */
const PATIENCE_IN_MS = 30_000

async function setUp(t: ExecutionContext, options: Partial<KeycloakOptions> = {}) {
  const realm = await keycloak(t)
  const clock = new SettableClock(NOON)
  return { realm, clock, directory: directoryAt(realm.url, clock, options) }
}

function directoryAt(url: string, clock: SettableClock, options: Partial<KeycloakOptions> = {}) {
  return new KeycloakUserDirectory(
    {
      url: new URL(url),
      realm: 'bank',
      clientId: 'countersign',
      clientSecret: SECRET,
      timeoutInMs: PATIENCE_IN_MS,
      ...options,
    },
    clock,
  )
}

/** Every refusal goes through here, so that none of them shows what logs must not hold. */
async function assertUnavailable(t: ExecutionContext, directory: UserDirectory, reason: string) {
  const error = await t.throwsAsync(directory.find(ID), { instanceOf: DirectoryUnavailable })

  const shown = inspect(error, { depth: 10, showHidden: true })
  t.true(shown.includes(reason), shown)
  for (const secret of [
    ID,
    ALICE,
    'example',
    SECRET,
    encodeURIComponent(SECRET),
    TOKEN,
    'eyJ',
    '127.0.0.1',
  ]) {
    t.false(shown.includes(secret), `${secret} in ${shown}`)
  }
}

const tokenCalls = ({ calls }: Keycloak) => calls.filter((call) => call.startsWith('POST'))
const userCalls = ({ calls }: Keycloak) => calls.filter((call) => call.startsWith('GET'))

test('an enabled user with a verified address is found', async (t) => {
  const { realm, directory } = await setUp(t)

  t.deepEqual(await directory.find(ID), ENTRY)
  t.deepEqual(realm.calls, [`POST ${TOKEN_PATH}`, `GET ${USER_PATH}`])
})

for (const end of ['', '/']) {
  test(`Keycloak may be under a path: /auth${end}`, async (t) => {
    const realm = await keycloak(t, '/auth')

    t.deepEqual(await directoryAt(`${realm.url}${end}`, new SettableClock(NOON)).find(ID), ENTRY)
  })
}

test('the name of the realm cannot lead out of its place in the path', async (t) => {
  const { realm, directory } = await setUp(t, { realm: '../bank?x' })

  await assertUnavailable(t, directory, 'the token endpoint answered 404')
  t.deepEqual(realm.calls, ['POST /realms/..%2Fbank%3Fx/protocol/openid-connect/token'])
})

for (const [what, change] of [
  ['is disabled', { enabled: false }],
  ['is not said to be enabled', { enabled: undefined }],
  ['has an address that is not verified', { emailVerified: false }],
  ['has an address that is not said to be verified', { emailVerified: undefined }],
  ['has null for verified', { emailVerified: null }],
  ['has no address', { email: undefined }],
  ['has null as address', { email: null }],
  ['has an empty address', { email: '' }],
  ['has an address with a line break', { email: 'alice@example.com\r\nBcc: mallory@example.com' }],
  ['has two addresses', { email: 'alice@example.com,mallory@example.com' }],
  ['has an address with a display name', { email: 'Alice <alice@example.com>' }],
  ['has an address without a domain', { email: 'alice@localhost' }],
  ['has an address with a local part that is not ASCII', { email: 'älice@example.com' }],
] as const) {
  test(`a user who ${what} is not found`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.users.set(ID, { ...REPRESENTATION, ...change })

    t.is(await directory.find(ID), undefined)
    const because = what === 'is disabled' ? 'disabled' : 'no-address'
    t.deepEqual(await directory.locate(ID), { user: undefined, because })
  })
}

test('the internationalised domain of a user is written as its A-labels', async (t) => {
  const { realm, directory } = await setUp(t)
  realm.users.set(ID, { ...REPRESENTATION, email: 'info@Bücher.example' })

  t.is<string | undefined, string>((await directory.find(ID))?.email, 'info@xn--bcher-kva.example')
})

test('a user whom Keycloak does not know is not found', async (t) => {
  const { realm, directory } = await setUp(t)
  realm.users.clear()

  t.is(await directory.find(ID), undefined)
  t.is(userCalls(realm).length, 1)
  t.deepEqual(await directory.locate(ID), { user: undefined, because: 'absent' })
})

test('a user who is made anew under the same name has another id, and the one before is absent', async (t) => {
  const { realm, directory } = await setUp(t)
  realm.users.clear()
  realm.users.set(userId(2), { ...REPRESENTATION, id: userId(2) })

  t.deepEqual(await directory.locate(ID), { user: undefined, because: 'absent' })
  t.like(await directory.locate(userId(2)), { user: { email: ALICE } })
})

for (const id of [
  '',
  '.',
  '..',
  '../clients',
  'count',
  'profile',
  `${ID}\n`,
  `${ID}\0`,
  `${ID}\u2028`,
  `${ID}\ud800`,
  `${ID}/credentials`,
  `${ID}/../${ID}`,
  `${ID}\\credentials`,
  `${ID};x=y`,
  `${ID}%2f..`,
  `f:${ID}:../clients`,
]) {
  test(`the id ${JSON.stringify(id)} is not found, and not asked for`, async (t) => {
    const { realm, directory } = await setUp(t)

    t.is(await directory.find(id), undefined)
    t.deepEqual(await directory.locate(id), { user: undefined, because: 'no-address' })
    t.deepEqual(realm.calls, [])
  })
}

for (const id of [
  'alice',
  '4711',
  '...',
  'counts',
  ID.toUpperCase(),
  ID.replaceAll('-', ''),
  `f:${ID}:alice`,
  `f:${ID}:alice archer`,
  `f:${ID}:alice+bank@example.com`,
  `f:${ID}:alice_bank.example#EXT#@tenant.example`,
  `f:${ID}:a?b=c&d`,
  'f:Sfze6h46SvmlLM-FyZ5VSw:1042',
  `f:${ID}:jürgen`,
  `f:${ID}:uid=alice,ou=people,dc=bank`,
  '{alice}',
]) {
  test(`the id ${JSON.stringify(id)} is that of a federated or imported user, and found under it`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.users.set(id, { ...REPRESENTATION, id })

    t.deepEqual(await directory.find(id), { ...ENTRY, userId: id })
    t.deepEqual(userCalls(realm), [`GET /admin/realms/bank/users/${encodeURIComponent(id)}`])
  })
}

for (const [what, attributes, locale] of [
  ['a language tag', { locale: ['pt-BR'] }, 'pt-BR'],
  ['the first of two language tags', { locale: ['fr', 'de'] }, 'fr'],
  ['none without attributes', undefined, undefined],
  ['none without that attribute', {}, undefined],
  ['none of an empty list', { locale: [] }, undefined],
  ['the tag that Java writes with a low line', { locale: ['pt_BR'] }, 'pt-BR'],
  ['none of a text with a line break', { locale: ['de\r\nX: y'] }, undefined],
  ['none of a tag of 36 characters', { locale: ['de-12345678-12345678-12345678-123456'] }, undefined],
  ['none of a bare text', { locale: 'de' }, undefined],
  ['none of a number', { locale: [7] }, undefined],
  ['none of attributes that are a list', ['locale'], undefined],
] as const) {
  test(`the locale is ${what}`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.users.set(ID, { ...REPRESENTATION, attributes })

    t.deepEqual(await directory.find(ID), { ...ENTRY, locale })
  })
}

for (const [locale, warned] of [
  [['pt_BR'], 0],
  [[''], 0],
  [['Deutsch (Österreich)'], 1],
  [['de\r\nX: y'], 1],
] as const) {
  test(`the locale ${JSON.stringify(locale[0])} warns ${warned ? 'once for each answer' : 'of nothing'}`, async (t) => {
    const warnings: string[] = []
    const { realm, directory } = await setUp(t, { onUnreadableLocale: (userId) => warnings.push(userId) })
    realm.users.set(ID, { ...REPRESENTATION, attributes: { locale } })

    t.like(await directory.find(ID), { userId: ID, email: ALICE })
    await directory.find(ID)

    t.deepEqual(warnings, Array(warned).fill(ID))
  })
}

for (const [what, names, displayName] of [
  ['the first name alone', { lastName: undefined }, 'Alice'],
  ['the last name alone', { firstName: null }, 'Archer'],
  ['without the blanks around names', { firstName: ' Alice ', lastName: ' ' }, 'Alice'],
  [
    'up to 100 characters long',
    { firstName: 'a'.repeat(49), lastName: 'b'.repeat(50) },
    `${'a'.repeat(49)} ${'b'.repeat(50)}`,
  ],
  ['none of 101 characters', { firstName: 'a'.repeat(50), lastName: 'b'.repeat(50) }, undefined],
  ['none without names', { firstName: undefined, lastName: undefined }, undefined],
  ['none of empty names', { firstName: '', lastName: '' }, undefined],
  ['none of a name with a line break', { firstName: 'Alice\r\nBcc: mallory@example.com' }, undefined],
  ['what is left of a name that is a number', { firstName: 7 }, 'Archer'],
] as const) {
  test(`the display name is ${what}`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.users.set(ID, { ...REPRESENTATION, ...names })

    t.deepEqual(await directory.find(ID), { ...ENTRY, displayName })
  })
}

const html: Answer = (response) => respond(response, 200, '<html>', { 'Content-Type': 'text/html' })
const NOT_KEYCLOAK: readonly (readonly [string, Answer, string])[] = [
  ['HTML', html, 'unexpected content'],
  ['an empty body', (response) => respond(response, 200, ''), 'unexpected content'],
  ['no content', (response) => respond(response, 204, ''), '204'],
  ['null', (response) => respond(response, 200, 'null'), 'unexpected content'],
  ['a list', (response) => respond(response, 200, []), 'unexpected content'],
  ['half a JSON text', (response) => respond(response, 200, '{"id":"'), 'unexpected content'],
  [
    'half a body',
    (response) => {
      response.writeHead(200, { 'Content-Length': 1000 })
      response.write('{"id":', () => response.destroy())
    },
    'could not be read',
  ],
  ['a body without end', flood, 'more than 65536 bytes'],
  ['a small body that unpacks to a large one', bomb, 'more than 65536 bytes'],
  ['what is no HTTP', (response) => void response.socket?.end('SSH-2.0-x\r\n'), 'could not be read'],
  ['a closed connection', (response) => response.destroy(), 'could not be read'],
  ['400', (response) => respond(response, 400, { error: 'invalid_request' }), '400'],
  ['403, for want of a role', (response) => respond(response, 403, { error: 'HTTP 403 Forbidden' }), '403'],
  ['429', (response) => respond(response, 429, {}), '429'],
  ['500', (response) => respond(response, 500, { error: 'unknown_error' }), '500'],
  ['503 in HTML', (response) => respond(response, 503, '<html>'), '503'],
]

function flood(response: ServerResponse) {
  const chunk = ' '.repeat(16_384)
  const more = () => {
    while (response.write(chunk));
  }
  response.writeHead(200).on('drain', more)
  more()
}

function bomb(response: ServerResponse) {
  respond(response, 200, gzipSync(JSON.stringify({ ...REPRESENTATION, username: 'a'.repeat(1_000_000) })), {
    'Content-Encoding': 'gzip',
  })
}

for (const [what, answer, reason] of NOT_KEYCLOAK) {
  test(`a token endpoint that answers ${what} is an outage`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.onToken = answer

    await assertUnavailable(t, directory, 'the token endpoint')
    await assertUnavailable(t, directory, reason)
    t.deepEqual(userCalls(realm), [])
  })

  test(`a users endpoint that answers ${what} is an outage, and what follows is found`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.onUser = answer
    await assertUnavailable(t, directory, 'the users endpoint')
    await assertUnavailable(t, directory, reason)

    realm.onUser = undefined

    t.deepEqual(await directory.find(ID), ENTRY)
  })
}

for (const [what, body] of [
  ['a proxy', '<html>Not Found</html>'],
  ['an unknown path', { error: 'HTTP 404 Not Found' }],
  ['an unknown realm', { error: 'Realm not found.' }],
] as const) {
  test(`a 404 of ${what} does not say that there is no such user`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.onUser = (response) => respond(response, 404, body)

    await assertUnavailable(t, directory, 'unexpected content')
  })
}

for (const [what, change] of [
  ['the text "true" for verified', { emailVerified: 'true' }],
  ['the number 1 for verified', { emailVerified: 1 }],
  ['the text "true" for enabled', { enabled: 'true' }],
  ['a list as address', { email: [ALICE] }],
  ['an object as address', { email: { address: ALICE } }],
  ['no id', { id: undefined }],
  ['the id of another user', { id: userId(2) }],
] as const) {
  test(`a user with ${what} is an outage`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.users.set(ID, { ...REPRESENTATION, ...change })

    await assertUnavailable(t, directory, 'the users endpoint answered with')
  })
}

for (const [what, change] of [
  ['no token', { access_token: undefined }],
  ['an empty token', { access_token: '' }],
  ['a token with a line break', { access_token: `${TOKEN}\r\nX-Evil: 1` }],
  ['a token of another type', { token_type: 'DPoP' }],
  ['no lifetime', { expires_in: undefined }],
  ['a text as lifetime', { expires_in: '60' }],
  ['a negative lifetime', { expires_in: -1 }],
] as const) {
  test(`an answer of the token endpoint with ${what} is an outage`, async (t) => {
    const { realm, directory } = await setUp(t)
    realm.onToken = (response) =>
      respond(response, 200, { access_token: TOKEN, token_type: 'Bearer', expires_in: 60, ...change })

    await assertUnavailable(t, directory, 'the token endpoint answered with unexpected content')
    t.deepEqual(userCalls(realm), [])
  })
}

test('a body of 64 KiB is read, one byte more is not', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  const sized = (bytes: number) => JSON.stringify(REPRESENTATION).padEnd(bytes)

  realm.users.set(ID, sized(65_536))
  t.deepEqual(await directory.find(ID), ENTRY)
  clock.pass(5)
  realm.users.set(ID, sized(65_537))
  await assertUnavailable(t, directory, 'more than 65536 bytes')
})

for (const status of [301, 302, 303, 307, 308]) {
  test(`neither secret nor token follows a redirect with ${status}`, async (t) => {
    const { realm, directory } = await setUp(t)
    const elsewhere: string[] = []
    const url = await serve(t, (request, response) => {
      elsewhere.push(request.url!)
      respond(response, 200, REPRESENTATION)
    })
    const redirect: Answer = (response) => respond(response, status, '', { Location: url })

    realm.onToken = redirect
    await assertUnavailable(t, directory, 'the token endpoint could not be read')
    realm.onToken = undefined
    realm.onUser = redirect
    await assertUnavailable(t, directory, 'the users endpoint could not be read')

    t.deepEqual(elsewhere, [])
  })
}

for (const [what, answer] of [
  ['does not answer', () => undefined],
  ['does not finish its answer', (response: ServerResponse) => void response.writeHead(200).write('{')],
] as const) {
  // Serial, so that no other test makes the answer late that has to be in time.
  test.serial(`a Keycloak that ${what} in time is an outage`, async (t) => {
    const { realm, directory } = await setUp(t, { timeoutInMs: 500 })

    realm.onToken = answer
    await assertUnavailable(t, directory, 'the token endpoint took too long')
    realm.onToken = undefined
    realm.onUser = answer
    await assertUnavailable(t, directory, 'the users endpoint took too long')
  })
}

test('a Keycloak that is away is an outage', async (t) => {
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address() as AddressInfo
  await new Promise((closed) => gone.close(closed))

  const directory = directoryAt(`http://127.0.0.1:${port}`, new SettableClock(NOON))

  await assertUnavailable(t, directory, 'the token endpoint could not be read')
})

test('a wrong secret of the client is an outage', async (t) => {
  const { realm, directory } = await setUp(t, { clientSecret: 'wrong' })

  await assertUnavailable(t, directory, 'the token endpoint answered 401')
  t.deepEqual(userCalls(realm), [])
})

test('a token that has been taken back is replaced, once', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  await directory.find(ID)
  clock.pass(5)
  realm.live.clear()

  t.deepEqual(await directory.find(ID), ENTRY)

  t.is(tokenCalls(realm).length, 2)
  t.is(userCalls(realm).length, 3)
})

test('a users endpoint that refuses the new token too is an outage', async (t) => {
  const { realm, directory } = await setUp(t)
  realm.onUser = (response) => respond(response, 401, { error: 'HTTP 401 Unauthorized' })

  await assertUnavailable(t, directory, 'the users endpoint answered 401')

  t.is(tokenCalls(realm).length, 2)
  t.is(userCalls(realm).length, 2)
})

test('a token is used until ten seconds before its end', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  await directory.find(ID)

  clock.pass(49.999)
  await directory.find(ID)
  t.is(tokenCalls(realm).length, 1)

  clock.pass(0.001)
  await directory.find(userId(2))
  t.is(tokenCalls(realm).length, 2)
})

test('a token that ends within ten seconds serves the one call it was fetched for', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  realm.expiresIn = 10

  t.deepEqual(await directory.find(ID), ENTRY)
  clock.pass(5)
  t.deepEqual(await directory.find(ID), ENTRY)

  t.is(tokenCalls(realm).length, 2)
})

test('a found user is reused for less than five seconds', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  await directory.find(ID)
  realm.users.set(ID, { ...REPRESENTATION, email: 'new@example.com' })

  clock.pass(4.999)
  t.like(await directory.find(ID), { email: ALICE })
  clock.pass(0.001)
  t.like(await directory.find(ID), { email: 'new@example.com' })

  t.is(userCalls(realm).length, 2)
})

for (const [what, spoil] of [
  ['absent', (users: Map<string, unknown>) => void users.clear()],
  ['disabled', (users: Map<string, unknown>) => void users.set(ID, { ...REPRESENTATION, enabled: false })],
  [
    'unverified',
    (users: Map<string, unknown>) => void users.set(ID, { ...REPRESENTATION, emailVerified: false }),
  ],
] as const) {
  test(`nobody stays ${what} for longer than Keycloak says so: that may end a challenge for good`, async (t) => {
    const { realm, directory } = await setUp(t)
    spoil(realm.users)
    t.is(await directory.find(ID), undefined)
    realm.users.set(ID, REPRESENTATION)

    t.deepEqual(await directory.find(ID), ENTRY)
  })
}

test('a user who goes is gone within five seconds', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  await directory.find(ID)
  realm.users.clear()

  clock.pass(4.999)
  t.deepEqual(await directory.locate(ID), { user: ENTRY })
  clock.pass(0.001)
  t.deepEqual(await directory.locate(ID), { user: undefined, because: 'absent' })
})

test('the five seconds start with the question, not with the answer', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  realm.onUser = (response) => {
    clock.pass(5)
    respond(response, 200, REPRESENTATION)
  }

  await directory.find(ID)
  await directory.find(ID)

  t.is(userCalls(realm).length, 2)
})

test('using an entry does not make it last longer', async (t) => {
  const { realm, clock, directory } = await setUp(t)

  for (const seconds of [0, 3, 3]) {
    clock.pass(seconds)
    await directory.find(ID)
  }

  t.is(userCalls(realm).length, 2)
})

test('a clock that is set back makes no entry last longer', async (t) => {
  const { realm, clock, directory } = await setUp(t)
  await directory.find(ID)

  clock.pass(-1)
  await directory.find(ID)

  t.is(userCalls(realm).length, 2)
})

function addUsers({ users }: Keycloak): void {
  for (const number of [1, 2, 3]) users.set(userId(number), { ...REPRESENTATION, id: userId(number) })
}

test('when the memory is full, the oldest entry goes', async (t) => {
  const { realm, directory } = await setUp(t, { rememberedUsers: 2 })
  addUsers(realm)
  const find = async (...numbers: number[]) => {
    realm.calls.length = 0
    for (const number of numbers) await directory.find(userId(number))
    return userCalls(realm).length
  }

  t.is(await find(1, 2, 3), 3)
  t.is(await find(2, 3), 0)
  t.is(await find(1), 1)
  t.is(await find(3, 1), 0)
  t.is(await find(2), 1)
})

test('an entry that is renewed is not the oldest any more', async (t) => {
  const { realm, clock, directory } = await setUp(t, { rememberedUsers: 2 })
  addUsers(realm)
  await directory.find(userId(1))
  await directory.find(userId(2))
  clock.pass(5)
  await directory.find(userId(1))
  await directory.find(userId(3))
  realm.calls.length = 0

  await directory.find(userId(1))

  t.deepEqual(realm.calls, [])
})

test('fifty parallel finds of one user are one call for the token and one for the user', async (t) => {
  const { realm, directory } = await setUp(t)

  const found = await Promise.all(Array.from({ length: 50 }, () => directory.find(ID)))

  t.deepEqual(found, Array(50).fill(ENTRY))
  t.deepEqual(realm.calls, [`POST ${TOKEN_PATH}`, `GET ${USER_PATH}`])
})

test('parallel finds of fifty users share one token, and each gets its own user', async (t) => {
  const { realm, directory } = await setUp(t)
  const ids = Array.from({ length: 50 }, (_, number) => userId(number))
  for (const id of ids) realm.users.set(id, { ...REPRESENTATION, id })

  const found = await Promise.all(ids.map((id) => directory.find(id)))

  t.deepEqual(
    found.map((user) => user?.userId),
    ids,
  )
  t.is(tokenCalls(realm).length, 1)
  t.is(userCalls(realm).length, 50)
})

test('fifty parallel finds whose token has been taken back share one new token', async (t) => {
  const { realm, directory } = await setUp(t)
  await directory.find(ID)
  realm.live.clear()

  await Promise.all(Array.from({ length: 50 }, (_, number) => directory.find(userId(number))))

  t.is(tokenCalls(realm).length, 2)
  t.is(userCalls(realm).length, 1 + 100)
})

test('parallel finds fail together, and the next one asks anew', async (t) => {
  const { realm, directory } = await setUp(t)
  realm.onToken = (response) => respond(response, 503, {})

  const finds = await Promise.allSettled(Array.from({ length: 50 }, () => directory.find(ID)))

  t.true(finds.every((find) => find.status === 'rejected' && find.reason instanceof DirectoryUnavailable))
  t.is(realm.calls.length, 1)
  realm.onToken = undefined
  t.deepEqual(await directory.find(ID), ENTRY)
})
