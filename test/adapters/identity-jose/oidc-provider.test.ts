import test from 'ava'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { issuerKeys } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import { tokenProfile } from '../../../src/adapters/identity-jose/token-profiles.ts'
import { AccessTokenRefused } from '../../../src/application/ports/access-tokens.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'
import { COUNTERSIGN, OpenIdProvider, SCOPE, signingKey } from '../../support/openid-provider.ts'
import { PROVIDER_TOKENS, PROVIDERS } from '../../support/provider-tokens.ts'

const REFUSED = { instanceOf: AccessTokenRefused }
const SHOP = 'https://shop.example'

async function withProvider(...keys: JWK[]) {
  const provider = new OpenIdProvider()
  await provider.start(...keys)
  const token = await provider.serviceToken()
  const issuedAt = new Date(decodeJwt(token).iat! * 1000)
  const clock = new SettableClock(issuedAt)
  const keyClock = new SettableClock(issuedAt)
  const remoteKeys = issuerKeys(await provider.jwksUri(), keyClock).candidates
  const tokens = new JoseAccessTokens(remoteKeys, { issuer: provider.issuer, audience: 'countersign' }, clock)
  return { provider, token, tokens, clock, keyClock }
}

test("a token of the client credentials grant is a service's, with its scopes", async (t) => {
  const { provider, token, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  t.deepEqual(await tokens.authenticate(token), {
    kind: 'client',
    clientId: 'payments',
    scopes: new Set([SCOPE]),
  })
})

test("a token of the authorization code grant is a user's, and the tokens beside it are refused", async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  const { access_token, id_token, refresh_token } = await provider.signIn(COUNTERSIGN)

  t.deepEqual(await tokens.authenticate(access_token!), { kind: 'user', userId: 'alice' })
  await t.throwsAsync(tokens.authenticate(id_token!), REFUSED)
  await t.throwsAsync(tokens.authenticate(refresh_token!), REFUSED)
})

test('a token for another resource is refused', async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  await t.throwsAsync(tokens.authenticate(await provider.serviceToken(SHOP)), REFUSED)
})

test('an opaque access token is refused', async (t) => {
  const { provider, tokens } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  const { access_token } = await provider.signIn()

  await t.throwsAsync(tokens.authenticate(access_token!), REFUSED)
})

test('an expired token is refused', async (t) => {
  const { provider, token, tokens, clock } = await withProvider(signingKey('k1'))
  t.teardown(() => provider.stop())

  clock.pass(310)

  await t.throwsAsync(tokens.authenticate(token), REFUSED)
})

test('a rotated key signs good tokens at once, and the old one until it is removed', async (t) => {
  const [first, second] = [signingKey('k1'), signingKey('k2')]
  const { provider, token, tokens, keyClock } = await withProvider(first)
  t.teardown(() => provider.stop())
  await tokens.authenticate(token)

  await provider.start(second, first)
  keyClock.pass(30)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })
  t.like(await tokens.authenticate(token), { kind: 'client' })

  const third = signingKey('k3')
  await provider.start(third)
  keyClock.pass(30)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })
  await t.throwsAsync(tokens.authenticate(token), REFUSED)
})

for (const provider of PROVIDERS) {
  const { client, userId, audience, service, user } = PROVIDER_TOKENS[provider]

  test(`tokens in the shape of ${provider} are told apart: service, user, and what is no access token`, async (t) => {
    const openId = new OpenIdProvider(({ payload }, account) => {
      Object.assign(payload, account === undefined ? service(SCOPE) : user(SCOPE))
      // The provider signs nothing without an audience, and serialises what can be enumerated.
      if (!payload.aud) Object.defineProperty(payload, 'aud', { value: 'none', enumerable: false })
    })
    t.teardown(() => openId.stop())
    await openId.start(signingKey('k1'))
    const profile = tokenProfile(provider, {}, audience)
    const clock = { now: () => new Date() }
    const rules = { issuer: openId.issuer, audience, profile }
    const tokens = new JoseAccessTokens(issuerKeys(await openId.jwksUri(), clock).candidates, rules, clock)

    const ofService = await tokens.authenticate(await openId.serviceToken())
    const { access_token, id_token } = await openId.signIn(COUNTERSIGN)

    t.like(ofService, { kind: 'client', clientId: client })
    t.true(ofService.kind === 'client' && ofService.scopes.has(SCOPE))
    t.deepEqual(await tokens.authenticate(access_token!), { kind: 'user', userId })
    await t.throwsAsync(tokens.authenticate(id_token!), REFUSED)
  })
}

test('a token without a key id is checked against each key that the provider publishes', async (t) => {
  const provider = new OpenIdProvider((token) => {
    token.header = { kid: undefined }
  })
  t.teardown(() => provider.stop())
  const [first, second] = [signingKey('k1'), signingKey('k2')]
  await provider.start(first, second)
  const token = await provider.serviceToken()
  t.is(decodeProtectedHeader(token).kid, undefined)
  const keyClock = new SettableClock(new Date())
  const rules = { issuer: provider.issuer, audience: 'countersign' }
  const tokens = new JoseAccessTokens(issuerKeys(await provider.jwksUri(), keyClock).candidates, rules, {
    now: () => new Date(),
  })

  t.like(await tokens.authenticate(token), { kind: 'client' })
  await provider.start(second, first)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })

  await provider.start(signingKey('k3'))
  keyClock.pass(30)
  t.like(await tokens.authenticate(await provider.serviceToken()), { kind: 'client' })
  await t.throwsAsync(tokens.authenticate(token), REFUSED)
})
