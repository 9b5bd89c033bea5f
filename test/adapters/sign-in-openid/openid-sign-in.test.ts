import test, { type ExecutionContext } from 'ava'
import { OpenidSignIn } from '../../../src/adapters/sign-in-openid/openid-sign-in.ts'
import { SignInRefused, type SignInSecrets, SignInUnavailable } from '../../../src/contracts/agent-sign-in.ts'
import { AgentIssuer, DESK } from '../../../tools/support/agent-issuer.ts'
import { AgentBrowser } from '../../support/agent-browser.ts'

const ORIGIN = 'http://127.0.0.1:1'
const REDIRECT_URI = `${ORIGIN}/support/callback`

async function started(
  t: ExecutionContext,
  changes: Partial<ConstructorParameters<typeof OpenidSignIn>[0]> = {},
) {
  const issuer = await new AgentIssuer().start(ORIGIN)
  t.teardown(() => issuer.stop())
  const signIn = new OpenidSignIn(
    {
      ...DESK,
      issuer: issuer.url,
      redirectUri: REDIRECT_URI,
      scopes: 'openid profile',
      roleClaim: 'roles',
      readRole: 'mfa:support:read',
      writeRole: 'mfa:support:write',
      ...changes,
    },
    { now: () => new Date() },
  )
  return { issuer, signIn }
}

/** Goes through the pages of the issuer. Returns what it sends back, and what the browser kept meanwhile. */
async function atIssuer(
  signIn: OpenidSignIn,
  as: string,
): Promise<{ query: string; secrets: SignInSecrets }> {
  const { url, secrets } = await signIn.begin()
  const browser = new AgentBrowser()
  const { url: page } = await browser.follow(url)
  const { url: back } = await browser.follow(`${page.href}?as=${as}`, ORIGIN)
  return { query: back.search, secrets }
}

test('an agent with both roles signs in, may read and may write', async (t) => {
  const { signIn } = await started(t)

  const { query, secrets } = await atIssuer(signIn, 'agent-7')

  t.deepEqual(await signIn.finish(query, secrets), {
    ...{ id: 'agent-7', name: 'Sam Lee' },
    ...{ mayRead: true, mayWrite: true },
  })
})

test('an agent with the one role may read and not write, and one without may neither', async (t) => {
  const { signIn } = await started(t)

  for (const [as, mayRead] of [
    ['agent-8', true],
    ['teller-1', false],
  ] as const) {
    const { query, secrets } = await atIssuer(signIn, as)
    const agent = await signIn.finish(query, secrets)
    t.like(agent, { id: as, mayRead, mayWrite: false })
  }
})

test('the request to the issuer has state, nonce and a challenge of PKCE, and no secret', async (t) => {
  const { signIn } = await started(t)

  const { url, secrets } = await signIn.begin()
  const query = url.searchParams

  t.is(query.get('code_challenge_method'), 'S256')
  t.is(query.get('response_type'), 'code')
  t.is(query.get('state'), secrets.state)
  t.is(query.get('nonce'), secrets.nonce)
  t.is(query.get('redirect_uri'), REDIRECT_URI)
  t.false(url.href.includes(secrets.codeVerifier))
  t.false(url.href.includes(DESK.clientSecret))
})

for (const [what, change] of [
  ['state', { state: 'that of another sign-in' }],
  ['nonce', { nonce: 'that of another sign-in' }],
  ['verifier of PKCE', { codeVerifier: 'v'.repeat(43) }],
] as const) {
  test(`an answer whose ${what} is not that of this browser is refused`, async (t) => {
    const { signIn } = await started(t)
    const { query, secrets } = await atIssuer(signIn, 'agent-7')

    await t.throwsAsync(signIn.finish(query, { ...secrets, ...change }), { instanceOf: SignInRefused })
  })
}

test('an answer counts once', async (t) => {
  const { signIn } = await started(t)
  const { query, secrets } = await atIssuer(signIn, 'agent-7')
  await signIn.finish(query, secrets)

  await t.throwsAsync(signIn.finish(query, secrets), { instanceOf: SignInRefused })
})

test('an answer without a code, or with an error of the issuer, is refused', async (t) => {
  const { signIn } = await started(t)
  const { query, secrets } = await atIssuer(signIn, 'nobody')

  const error = await t.throwsAsync(signIn.finish(query, secrets), { instanceOf: SignInRefused })
  t.is(error?.reason, 'access_denied')
  await t.throwsAsync(signIn.finish(`?state=${secrets.state}`, secrets), { instanceOf: SignInRefused })
  await t.throwsAsync(signIn.finish('', secrets), { instanceOf: SignInRefused })
})

test('an answer of another issuer at the same address is refused', async (t) => {
  const { signIn } = await started(t)
  const { query, secrets } = await atIssuer(signIn, 'agent-7')
  const foreign = new URLSearchParams(query)
  foreign.set('iss', 'https://other.example')

  await t.throwsAsync(signIn.finish(`?${foreign}`, secrets), { instanceOf: SignInRefused })
})

test('an ID token that is not signed with a published key is refused', async (t) => {
  const { issuer, signIn } = await started(t)
  const { query, secrets } = await atIssuer(signIn, 'agent-7')
  issuer.hidesKeys = true

  await t.throwsAsync(signIn.finish(query, secrets), { instanceOf: SignInRefused })
  t.true(issuer.asked.includes('GET /jwks'))
})

test('an issuer that was down is asked again at the next sign-in', async (t) => {
  const { issuer, signIn } = await started(t)
  issuer.isDown = true

  await t.throwsAsync(signIn.begin(), { instanceOf: SignInUnavailable })
  t.is(await signIn.endSessionUrl(), undefined)
  issuer.isDown = false

  t.is((await signIn.begin()).url.origin, issuer.url)
})

test('an issuer that goes down during a sign-in makes it unavailable', async (t) => {
  const { issuer, signIn } = await started(t)
  const { query, secrets } = await atIssuer(signIn, 'agent-7')
  issuer.isDown = true

  await t.throwsAsync(signIn.finish(query, secrets), { instanceOf: SignInUnavailable })
})

test('a secret that the issuer does not know is a fault of the service, not of the agent', async (t) => {
  const { signIn } = await started(t, { clientSecret: 'another' })
  const { query, secrets } = await atIssuer(signIn, 'agent-7')

  const error = await t.throwsAsync(signIn.finish(query, secrets), { instanceOf: SignInUnavailable })
  t.is(error?.reason, 'invalid_client')
})

test('an issuer of another name than the configured one is unavailable', async (t) => {
  const { issuer } = await started(t)
  const { signIn } = await started(t, { issuer: issuer.url.replace('127.0.0.1', 'localhost') })

  await t.throwsAsync(signIn.begin(), { instanceOf: SignInUnavailable })
})

test('the issuer is discovered once for many sign-ins', async (t) => {
  const { issuer, signIn } = await started(t)

  await Promise.all([signIn.begin(), signIn.begin(), signIn.endSessionUrl()])

  t.deepEqual(issuer.asked, ['GET /.well-known/openid-configuration'])
})
