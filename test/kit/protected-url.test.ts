import test from 'ava'
import { AuthorisationRefused, verifyAuthorisation } from '../../packages/kit/src/authorisation.ts'
import { CountersignClient, clientCredentials } from '../../packages/kit/src/client.ts'
import { StepUpGate } from '../../packages/kit/src/step-up.ts'

/* Whatever the kit sends a token or a secret to, or trusts keys from, is reached over TLS, or is this machine. */

const PROTECTED = [
  'https://countersign.bank.example',
  'https://10.0.0.1:8443/countersign',
  'http://127.0.0.1:3000',
  'http://127.8.9.10',
  'http://127.1',
  'http://127.0.0.1.',
  'http://2130706433',
  'http://localhost:3000',
  'HTTP://LOCALHOST',
  'http://[::1]:3000',
  'http://[0:0:0:0:0:0:0:1]',
]
const PLAIN = [
  'http://countersign.bank.example',
  'http://countersign:3000',
  'http://10.0.0.1',
  'http://192.168.1.5:3000',
  'http://0.0.0.0:3000',
  'http://128.0.0.1',
  'http://127.0.0.1.nip.example',
  'http://localhost.bank.example',
  'http://bank.localhost',
  'http://xlocalhost',
  'http://[::]:3000',
  'http://[::ffff:10.0.0.1]',
  'http://[fe80::1]',
  'http://127.0.0.1@countersign.bank.example',
]
const NO_URL = [
  'countersign.bank.example',
  '/countersign',
  '',
  'ftp://127.0.0.1',
  'file:///etc',
  'ws://127.0.0.1',
]

const USERS: readonly (readonly [string, (url: string, allowPlainHttp?: boolean) => unknown])[] = [
  [
    'the client',
    (baseUrl, allowPlainHttp = false) =>
      new CountersignClient({ baseUrl, accessToken: () => 'token', allowPlainHttp }),
  ],
  [
    'the source of tokens',
    (tokenUrl, allowPlainHttp = false) =>
      clientCredentials({ tokenUrl, clientId: 'a', clientSecret: 's3cret', scope: 'b', allowPlainHttp }),
  ],
]

for (const [user, use] of USERS) {
  test(`${user} takes https, and http on this machine`, (t) => {
    for (const url of PROTECTED) t.notThrows(() => use(url), url)
  })

  test(`${user} takes no http to another machine, unless it is told that the network encrypts`, (t) => {
    for (const url of PLAIN) {
      const error = t.throws(() => use(url), { instanceOf: TypeError, message: /https/ }, url)
      t.false(error.message.includes(new URL(url).host), url)
    }
    t.notThrows(() => use('http://countersign:3000', true))
  })

  test(`${user} takes nothing else, told or not`, (t) => {
    for (const url of NO_URL) {
      for (const told of [false, true]) t.throws(() => use(url, told), { instanceOf: TypeError }, url)
    }
  })
}

test('a base URL has no credentials, query or fragment', (t) => {
  for (const url of [
    'https://a@b.example',
    'https://:p@b.example',
    'https://b.example/?q',
    'https://b.example/#f',
  ]) {
    t.throws(() => new CountersignClient({ baseUrl: url, accessToken: () => 'token' }), {
      instanceOf: TypeError,
    })
  }
})

const verify = (jwks: URL, allowPlainHttp = false) =>
  verifyAuthorisation('no.thing.', { jwks, audience: 'payments', digest: 'd', allowPlainHttp })

test('keys come over TLS, or from this machine', async (t) => {
  for (const url of PLAIN) await t.throwsAsync(verify(new URL(url)), { instanceOf: TypeError }, url)
  await t.throwsAsync(verify(new URL('http://127.0.0.1:1')), { instanceOf: AuthorisationRefused })
  await t.throwsAsync(verify(new URL('http://keys.mesh'), true), { instanceOf: AuthorisationRefused })
})

test('a route is not protected by keys that come over plain HTTP', (t) => {
  const options = (jwks: URL) => ({
    client: new CountersignClient({ baseUrl: 'http://127.0.0.1:1', accessToken: () => 'token' }),
    clientId: 'payments',
    subjectUserId: () => 'alice',
    operation: () => ({ type: 'a', request: {}, summary: [] }),
    executions: 'in-the-handler' as const,
    jwks,
  })

  for (const url of PLAIN) t.throws(() => new StepUpGate(options(new URL(url))), { instanceOf: TypeError })
  t.notThrows(() => new StepUpGate(options(new URL('http://localhost:3000/.well-known/jwks.json'))))
})
