import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { SignInCheck } from '../../../src/adapters/sign-in-openid/sign-in-check.ts'
import { freePort } from '../../../src/development/postgres/free-port.ts'
import { AgentIssuer, DESK } from '../../../tools/support/agent-issuer.ts'
import { selfSignedCertificate } from '../../doubles/self-signed-certificate.ts'
import { resultsOf } from '../../support/check-results.ts'

const SCOPES = 'openid profile'

async function checked(issuer: string, scopes = SCOPES) {
  const results = await resultsOf(new SignInCheck({ ...DESK, issuer, scopes }))
  const [{ name, level, found, remedy }] = results as [(typeof results)[0]]
  return { count: results.length, name, level, found, remedy }
}

async function listening(t: ExecutionContext, answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An issuer with a document of its own, but for the changes. */
async function publishing(t: ExecutionContext, changes: Readonly<Record<string, unknown>>) {
  const origin: string = await listening(t, (_, response) => {
    const document = {
      ...{ issuer: origin, authorization_endpoint: `${origin}/auth` },
      ...{ token_endpoint: `${origin}/token`, jwks_uri: `${origin}/jwks` },
      ...changes,
    }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(document))
  })
  return origin
}

test('a provider at which agents can sign in is well', async (t) => {
  const issuer = await new AgentIssuer().start('http://127.0.0.1:1')
  t.teardown(() => issuer.stop())

  const { host } = new URL(issuer.url)
  t.deepEqual(await checked(issuer.url), {
    ...{ count: 1, name: 'support-sign-in', level: 'ok', remedy: undefined },
    found: `${host} is the issuer that it says it is, and has what the desk needs`,
  })
  t.deepEqual(issuer.asked, ['GET /.well-known/openid-configuration'])
})

test('a document that says no more than it must is well', async (t) => {
  t.is((await checked(await publishing(t, {}))).level, 'ok')
})

for (const [what, changes, level, found, remedy] of [
  [
    'of another issuer',
    { issuer: 'https://other.bank.example' },
    'failed',
    /says https:\/\/other\.bank\.example$/,
    /^Set SUPPORT_ISSUER to the `issuer` of that document/,
  ],
  [
    'whose issuer is no text for a terminal',
    { issuer: 'https://other.bank.example/\u001b[2J' },
    'failed',
    /says something else$/,
    /SUPPORT_ISSUER/,
  ],
  [
    'without an endpoint for tokens',
    { token_endpoint: undefined },
    'failed',
    /lacks token_endpoint$/,
    /OpenID Connect/,
  ],
  ['without issuer', { issuer: undefined }, 'failed', /gives no discovery document: /, /SUPPORT_ISSUER/],
  [
    'without the way in which the desk authenticates',
    { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
    'failed',
    /client_secret_basic$/,
    /^Allow the client/,
  ],
  ['without PKCE', { code_challenge_methods_supported: ['plain'] }, 'warning', /S256/, /PKCE/],
  [
    'without a scope of the desk',
    { scopes_supported: ['openid'] },
    'warning',
    /the scope profile of SUPPORT_SCOPES$/,
    /^Create the scope/,
  ],
] as const) {
  test(`a document ${what} is found, with what to do`, async (t) => {
    const result = await checked(await publishing(t, changes))

    t.is(result.level, level)
    t.regex(result.found, found)
    t.regex(result.remedy!, remedy)
  })
}

test('an issuer that answers something else, or nothing, is found with the reason', async (t) => {
  const answering = (answer: RequestListener) => listening(t, answer)
  const missing = await answering((_, response) => response.writeHead(404).end())
  const page = await answering((_, response) => response.setHeader('Content-Type', 'text/html').end('<p>Hi'))
  const broken = await answering((_, response) =>
    response.setHeader('Content-Type', 'application/json').end('{'),
  )
  const elsewhere = await answering((_, response) => response.writeHead(302, { Location: '/login' }).end())

  for (const [issuer, reason] of [
    [missing, 'it answers 404'],
    [page, 'the answer is not such a document'],
    [broken, 'the answer is not such a document'],
    [elsewhere, 'it answers 302'],
    [`http://127.0.0.1:${await freePort()}`, 'ECONNREFUSED'],
  ] as const) {
    const { level, found, remedy } = await checked(issuer)
    t.is(level, 'failed')
    t.is(found, `${new URL(issuer).host} gives no discovery document: ${reason}`)
    t.regex(remedy!, /^Check SUPPORT_ISSUER \(unset: AUTH_ISSUER\)/)
  }
})

test('an issuer with a certificate of its own making is found, and is asked nothing', async (t) => {
  const asked: (string | undefined)[] = []
  const impostor = createTlsServer(selfSignedCertificate('localhost'), ({ url }) => asked.push(url))
  await new Promise<void>((ready) => impostor.listen(0, '127.0.0.1', ready))
  t.teardown(() => impostor.close())
  const { port } = impostor.address() as AddressInfo

  const { level, found, remedy } = await checked(`https://localhost:${port}`)

  t.is(level, 'failed')
  t.is(found, `the certificate of localhost:${port} does not verify: DEPTH_ZERO_SELF_SIGNED_CERT`)
  t.regex(remedy!, /NODE_EXTRA_CA_CERTS/)
  t.deepEqual(asked, [])
})
