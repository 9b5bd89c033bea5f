import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { IssuerCheck } from '../../../src/adapters/identity-jose/issuer-check.ts'
import { resultsOf } from '../../support/check-results.ts'

const publicKey = (curve: 'P-256' | 'secp256k1') =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ format: 'jwk' })
const ED25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

const CLOCK = { now: () => new Date() }
const NO_ISSUER = { issuer: 'bank', clockToleranceInSeconds: 10 }

async function examined(t: ExecutionContext, answer: RequestListener) {
  const [finding] = await allExamined(t, answer)
  return finding!
}

/** What the check finds at an issuer that answers like this, which has its keys at `jwksPath`. */
async function allExamined(
  t: ExecutionContext,
  answer: RequestListener,
  { jwksPath = '/jwks.json', issuer = (_origin: string): string => 'bank', clock = CLOCK, users = {} } = {},
) {
  const server = createServer(answer)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const checked = { ...NO_ISSUER, issuer: issuer(origin), jwksUrl: new URL(jwksPath, origin), users }
  return resultsOf(new IssuerCheck(checked, clock))
}

const keySet =
  (...keys: object[]): RequestListener =>
  (_, response) =>
    response.end(JSON.stringify({ keys }))

test('keys that tokens may be signed with are counted; over plain HTTP they are worth a word', async (t) => {
  const finding = await examined(
    t,
    keySet(
      { ...ED25519, kid: 'a' },
      { ...publicKey('P-256'), kid: 'b', alg: 'ES256', use: 'sig' },
      { ...publicKey('P-256'), kid: 'c', use: 'enc' },
      { ...publicKey('P-256'), kid: 'd', alg: 'ECDH-ES' },
      { ...publicKey('secp256k1'), kid: 'e' },
    ),
  )

  t.is(finding.level, 'warning')
  t.regex(finding.found, /has 2 of 5 public keys .* over plain HTTP$/)
})

test('an issuer whose keys are all for something else is none', async (t) => {
  const finding = await examined(t, keySet({ ...publicKey('P-256'), use: 'enc' }))

  t.is(finding.level, 'failed')
  t.regex(finding.remedy ?? '', /EdDSA/)
})

test('more keys without a name than the service tries are worth a word', async (t) => {
  const unnamed = (count: number) => keySet(...Array.from({ length: count }, () => publicKey('P-256')))

  t.regex((await examined(t, unnamed(8))).found, /over plain HTTP$/)
  const finding = await examined(t, unnamed(9))

  t.is(finding.level, 'warning')
  t.regex(finding.found, /more than 8 of them without a kid$/)
})

test('an RSA key that is too short is no key that tokens may be signed with', async (t) => {
  const rsa = (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' })

  t.regex((await examined(t, keySet(rsa(1024), rsa(2048)))).found, /has 1 of 2 public keys/)
})

/** An issuer whose clock shows another time than ours, which stands still; the result about clocks. */
async function clockFound(t: ExecutionContext, differenceInSeconds: number, headers: object = {}) {
  const now = new Date('2030-01-01T12:00:00.500Z')
  const results = await allExamined(
    t,
    (_, response) => {
      const date = new Date(now.getTime() + differenceInSeconds * 1000).toUTCString()
      for (const [name, value] of Object.entries({ Date: date, ...headers })) response.setHeader(name, value)
      response.end(JSON.stringify({ keys: [ED25519] }))
    },
    { clock: { now: () => now } },
  )
  return results.find(({ name }) => name === 'issuer-clock')!
}

for (const [difference, level, found] of [
  [0, 'ok', /agrees/],
  [10, 'ok', /differs .* by 10 s, which is tolerated/],
  [-10, 'ok', /differs .* by 10 s, which is tolerated/],
  [11, 'failed', /11 s behind .* not-yet-valid/],
  [-11, 'warning', /11 s ahead .* too early/],
  [86_400 * 400, 'failed', /behind/],
] as const) {
  test(`an issuer whose clock is ${difference} seconds ahead of ours is ${level}`, async (t) => {
    const finding = await clockFound(t, difference)

    t.is(finding.level, level, finding.found)
    t.regex(finding.found, found)
    if (level !== 'ok') t.regex(finding.remedy ?? '', /NTP.*AUTH_CLOCK_TOLERANCE_SECONDS/)
  })
}

test('an answer that lay in a cache tells the time of its issuer by its age', async (t) => {
  t.like(await clockFound(t, -300, { Age: '300' }), { level: 'ok', found: 'agrees with that of the issuer' })
})

for (const headers of [{ Date: 'yesterday' }, { Age: 'old' }]) {
  test(`an issuer with ${JSON.stringify(headers)} does not say what time it is`, async (t) => {
    t.like(await clockFound(t, 0, headers), { level: 'ok', found: 'the issuer does not say what time it is' })
  })
}

/** The result about the name of an issuer with these documents, by path. `ORIGIN` stands for where it listens. */
async function nameFound(
  t: ExecutionContext,
  issuer: string,
  documents: Readonly<Record<string, object>>,
  jwksPath = '/jwks.json',
) {
  const results = await allExamined(
    t,
    (request, response) => {
      const origin = `http://${request.headers.host}`
      const document = { [jwksPath]: { keys: [ED25519] }, ...documents }[request.url!]
      if (!document) return void response.writeHead(404).end()
      response.end(JSON.stringify(document).replaceAll('ORIGIN', origin))
    },
    { jwksPath, issuer: (origin) => issuer.replace('ORIGIN', origin) },
  )
  return results.find(({ name }) => name === 'issuer-name')!
}

const WELL_KNOWN = '/.well-known/openid-configuration'
const KEYCLOAK_KEYS = '/realms/bank/protocol/openid-connect/certs'

for (const [what, issuer, documents, jwksPath] of [
  [
    'by OpenID Connect Discovery',
    'ORIGIN/realms/bank',
    { [`/realms/bank${WELL_KNOWN}`]: { issuer: 'ORIGIN/realms/bank', jwks_uri: `ORIGIN${KEYCLOAK_KEYS}` } },
    KEYCLOAK_KEYS,
  ],
  [
    'by RFC 8414',
    'ORIGIN/bank',
    { '/.well-known/oauth-authorization-server/bank': { issuer: 'ORIGIN/bank' } },
    '/jwks.json',
  ],
  [
    'with a slash at its end',
    'ORIGIN/',
    { [WELL_KNOWN]: { issuer: 'ORIGIN/', jwks_uri: 'ORIGIN/.well-known/jwks.json' } },
    '/.well-known/jwks.json',
  ],
  [
    'seen from inside, above its keys',
    'https://login.bank.invalid/realms/bank',
    {
      [`/realms/bank${WELL_KNOWN}`]: {
        issuer: 'https://login.bank.invalid/realms/bank',
        jwks_uri: `https://login.bank.invalid${KEYCLOAK_KEYS}`,
      },
    },
    KEYCLOAK_KEYS,
  ],
] as const) {
  test(`an issuer that names itself as we do is well: ${what}`, async (t) => {
    t.like(await nameFound(t, issuer, documents, jwksPath), {
      level: 'ok',
      found: 'AUTH_ISSUER is that of the discovery document',
    })
  })
}

for (const [ours, theirs, difference] of [
  ['ORIGIN', 'ORIGIN/', 'AUTH_ISSUER lacks the slash at the end'],
  ['ORIGIN/', 'ORIGIN', 'AUTH_ISSUER has a slash too many at the end'],
  ['ORIGIN', 'ORIGIN/v2.0', 'the path differs'],
  ['ORIGIN', 'https://sts.bank.example/', 'the scheme differs'],
  ['ORIGIN', 'http://sts.bank.example', 'the host differs'],
  ['ORIGIN', 'bank', 'one of them is no URL'],
] as const) {
  test(`an issuer that says ${theirs} where we say ${ours} is told with the difference`, async (t) => {
    const finding = await nameFound(t, ours, { [WELL_KNOWN]: { issuer: theirs } })

    t.is(finding.level, 'failed')
    t.true(finding.found.endsWith(`: ${difference}`), finding.found)
    t.regex(finding.remedy ?? '', /AUTH_ISSUER/)
  })
}

for (const [issuer, difference] of [
  ['ORIGIN/realms/Bank', 'upper and lower case differ'],
  ['ORIGIN/realms/shop', 'the path differs'],
  ['https://login.bank.invalid/realms/bank', 'the scheme differs'],
  ['bank', 'one of them is no URL'],
] as const) {
  test(`the wrong issuer ${issuer} is found by the document above the keys`, async (t) => {
    const document = { issuer: 'ORIGIN/realms/bank', jwks_uri: `ORIGIN${KEYCLOAK_KEYS}` }

    const finding = await nameFound(t, issuer, { [`/realms/bank${WELL_KNOWN}`]: document }, KEYCLOAK_KEYS)

    t.is(finding.level, 'failed')
    t.true(finding.found.endsWith(`: ${difference}`), finding.found)
  })
}

test('keys that are not where the issuer has them are worth a word', async (t) => {
  const finding = await nameFound(t, 'ORIGIN', {
    [WELL_KNOWN]: { issuer: 'ORIGIN', jwks_uri: 'ORIGIN/oauth2/keys' },
  })

  t.is(finding.level, 'warning')
  t.regex(finding.remedy ?? '', /AUTH_JWKS_URL/)
})

for (const [what, documents] of [
  ['has no document', {}],
  ['has a document without an issuer', { [WELL_KNOWN]: { keys: [] } }],
  ['has a list for a document', { [WELL_KNOWN]: [] }],
  ['has an issuer with a line feed', { [WELL_KNOWN]: { issuer: 'https://bank\nok' } }],
  ['has an issuer that is an object', { [WELL_KNOWN]: { issuer: { a: 1 } } }],
] as const) {
  test(`an issuer that ${what} is compared with nothing`, async (t) => {
    t.like(await nameFound(t, 'ORIGIN', documents), { level: 'ok', name: 'issuer-name' })
  })
}

test('a document of another issuer on the same host is not compared', async (t) => {
  const document = { issuer: 'ORIGIN', jwks_uri: 'ORIGIN/oauth2/v1/keys' }

  t.like(await nameFound(t, 'bank', { [WELL_KNOWN]: document }, '/oauth2/aus123/v1/keys'), { level: 'ok' })
})

for (const [what, answer, reason] of [
  ['an error', (_, response) => response.writeHead(503).end(), /503/],
  ['a page', (_, response) => response.end('<html>'), /not JSON/],
  ['something else', (_, response) => response.end('{}'), /without keys/],
  ['nothing', (request) => request.socket.destroy(), /UND_ERR_SOCKET|ECONNRESET|no connection/],
] as readonly (readonly [string, RequestListener, RegExp])[]) {
  test(`an issuer that answers with ${what} is told by what is wrong with it`, async (t) => {
    const finding = await examined(t, answer)

    t.is(finding.level, 'failed')
    t.regex(finding.found, reason)
    t.regex(finding.remedy ?? '', /AUTH_JWKS_URL/)
  })
}

test('an issuer that nobody runs is told by the reason', async (t) => {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))

  const jwksUrl = new URL(`http://127.0.0.1:${port}/jwks.json`)
  const [finding] = await resultsOf(new IssuerCheck({ ...NO_ISSUER, jwksUrl }, CLOCK))

  t.like(finding, { level: 'failed', found: `127.0.0.1:${port} gives no keys: ECONNREFUSED` })
})

for (const [what, document, users, found] of [
  [
    'lists neither',
    { scopes_supported: ['openid'], claims_supported: ['sub'] },
    true,
    [/the scope/, /auth_time/],
  ],
  ['lists both', { scopes_supported: ['step-up'], claims_supported: ['auth_time'] }, true, []],
  ['says nothing', {}, true, []],
  ['writes no lists', { scopes_supported: 'openid', claims_supported: { sub: 1 } }, true, []],
  ['lists neither, where nothing is demanded', { scopes_supported: [], claims_supported: [] }, false, []],
] as const) {
  test(`what users need is compared with an issuer that ${what}`, async (t) => {
    const results = await allExamined(
      t,
      ({ url, headers }, response) => {
        const issuer = `http://${headers.host}`
        const isKeys = url === '/jwks.json'
        response.end(
          JSON.stringify(
            isKeys
              ? { keys: [{ ...ED25519, kid: 'a' }] }
              : { issuer, jwks_uri: `${issuer}/jwks.json`, ...document },
          ),
        )
      },
      { issuer: (origin) => origin, users: users ? { scope: 'step-up', maxLoginAgeInSeconds: 300 } : {} },
    )

    const warnings = results.filter(({ name }) => name === 'issuer-users')
    t.is(warnings.length, found.length)
    for (const [at, pattern] of found.entries()) {
      t.is(warnings[at]?.level, 'warning')
      t.regex(warnings[at]?.found ?? '', pattern)
    }
  })
}
