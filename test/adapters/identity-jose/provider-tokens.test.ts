import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { SignJWT } from 'jose'
import { keysOf } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import {
  JoseAccessTokens,
  type UserTokenRules,
} from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import {
  type ClaimSettings,
  type TokenProvider,
  tokenProfile,
} from '../../../src/adapters/identity-jose/token-profiles.ts'
import { AccessTokenInsufficient, AccessTokenRefused } from '../../../src/application/ports/access-tokens.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'
import { PROVIDER_TOKENS, PROVIDERS } from '../../support/provider-tokens.ts'

const CREATE = 'mfa:challenges:create'
const CONSUME = 'mfa:challenges:consume'
const ISSUER = 'https://issuer.example'
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keys = keysOf({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] as never })

type Claims = Readonly<Record<string, unknown>>

/** What a service that expects tokens of the provider makes of these claims. */
async function callerOf(
  provider: TokenProvider,
  claims: Claims,
  settings: ClaimSettings = {},
  { header = {}, users = {} as UserTokenRules, issuedAt = NOON } = {},
) {
  const { audience } = PROVIDER_TOKENS[provider]
  const profile = tokenProfile(provider, settings, audience)
  const rules = { issuer: ISSUER, audience, profile, users }
  const tokens = new JoseAccessTokens(keys, rules, new SettableClock(NOON))
  return tokens.authenticate(
    await new SignJWT({ iss: ISSUER, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header })
      .setIssuedAt(issuedAt)
      .setExpirationTime(secondsAfter(NOON, 300))
      .sign(privateKey),
  )
}

for (const provider of PROVIDERS) {
  const { client, userId, service, user } = PROVIDER_TOKENS[provider]

  test(`a service's token of ${provider} is a service's, with its scopes`, async (t) => {
    const caller = await callerOf(provider, service(CREATE, CONSUME))

    t.like(caller, { kind: 'client', clientId: client })
    t.true(caller.kind === 'client' && caller.scopes.has(CREATE) && caller.scopes.has(CONSUME))
  })

  test(`a user's token of ${provider} stays a user's, with every scope and the client's own name`, async (t) => {
    t.deepEqual(await callerOf(provider, user(CREATE)), { kind: 'user', userId })
  })

  test(`a token of ${provider} for another audience is refused`, async (t) => {
    const elsewhere = { ...service(CREATE), aud: 'shop', scope: `shop/${CREATE}` }

    await t.throwsAsync(callerOf(provider, elsewhere), { instanceOf: AccessTokenRefused })
  })

  for (const other of PROVIDERS.filter((each) => each !== provider)) {
    test(`a user's token of ${provider} is no service's in the eyes of ${other}`, async (t) => {
      const claims = { ...user(CREATE), aud: PROVIDER_TOKENS[other].audience, token_use: 'access' }

      const caller = await callerOf(other, claims).catch((error: unknown) => error)
      t.true(
        caller instanceof AccessTokenRefused || (caller as { readonly kind: string }).kind === 'user',
        JSON.stringify(caller),
      )
    })
  }
}

for (const [what, provider, change] of [
  ['a session', 'keycloak', { sid: 's1' }],
  ["a user's name", 'keycloak', { preferred_username: 'alice' }],
  ['the name of another service account', 'keycloak', { preferred_username: 'service-account-crm' }],
  ['the client of another session', 'keycloak', { client_id: 'crm' }],
  ['no client of its session', 'keycloak', { client_id: undefined }],
  ['another grant', 'auth0', { gty: 'password' }],
  ['no suffix behind the client', 'auth0', { sub: PROVIDER_TOKENS.auth0.client }],
  ['the suffix behind another client', 'auth0', { sub: 'crm@clients' }],
  ['a user id', 'okta', { uid: '00u1' }],
  ['another subject', 'okta', { sub: 'alice@bank.example', uid: '00u1' }],
  ['no type', 'entra', { idtyp: undefined }],
  ['the type of a user', 'entra', { idtyp: 'user' }],
  ['delegated scopes', 'entra', { scp: 'mfa' }],
  ['a user name', 'cognito', { username: 'janedoe' }],
  ['another subject', 'cognito', { sub: 'alice' }],
  ['another subject', 'generic', { sub: 'alice' }],
] as const) {
  test(`a token of ${provider} with ${what} is no service's`, async (t) => {
    t.like(await callerOf(provider, { ...PROVIDER_TOKENS[provider].service(CREATE), ...change }), {
      kind: 'user',
    })
  })
}

for (const [what, provider, change] of [
  ['the client under its older name', 'keycloak', { client_id: undefined, clientId: 'Payments' }],
  ['no name, as a lightweight token', 'keycloak', { preferred_username: undefined }],
  ['the client as subject, by a mapper', 'keycloak', { sub: 'Payments', client_id: undefined }],
  [
    'the claims of its RFC 9068 profile',
    'auth0',
    { azp: undefined, client_id: 'x', sub: 'x@clients', gty: undefined },
  ],
  ['the claims of version 1.0', 'entra', { azp: undefined, appid: 'x', ver: '1.0' }],
  ['an audience that its client asked for', 'cognito', { aud: ['countersign'] }],
] as const) {
  test(`a token of ${provider} with ${what} is a service's`, async (t) => {
    t.like(await callerOf(provider, { ...PROVIDER_TOKENS[provider].service(CREATE), ...change }), {
      kind: 'client',
      scopes: new Set(provider === 'keycloak' ? ['email', 'profile', CREATE] : [CREATE]),
    })
  })
}

for (const [what, scope, scopes] of [
  ['one text', `${CREATE}  ${CONSUME}`, [CREATE, CONSUME]],
  ['a list', [CREATE, CONSUME], [CREATE, CONSUME]],
  ['a list of one text', [`${CREATE} ${CONSUME}`], [CREATE, CONSUME]],
  ['an empty text', '', []],
  ['an empty list', [], []],
  ['nothing', undefined, []],
] as const) {
  test(`scopes may be ${what}`, async (t) => {
    t.deepEqual(await callerOf('generic', { ...PROVIDER_TOKENS.generic.service(), scope }), {
      kind: 'client',
      clientId: 'payments',
      scopes: new Set(scopes),
    })
  })
}

for (const scope of [7, null, { a: 1 }, [CREATE, 7], [[CREATE]]]) {
  test(`scopes of ${JSON.stringify(scope)} are refused`, async (t) => {
    const token = callerOf('generic', { ...PROVIDER_TOKENS.generic.service(), scope })

    t.like(await t.throwsAsync(token, { instanceOf: AccessTokenRefused }), { reason: 'scope' })
  })
}

for (const [what, provider, change] of [
  ['is an ID token', 'cognito', { token_use: 'id', aud: ['countersign'] }],
  ['has no scope of ours', 'cognito', { scope: 'aws.cognito.signin.user.admin' }],
  ['has a scope of an API whose name begins like ours', 'cognito', { scope: 'countersign2/mfa' }],
  ['has a scope of ours, but is for another API', 'cognito', { aud: 'shop' }],
  ['has no user id', 'okta', { sub: 'alice@bank.example' }],
  ['has no user id', 'entra', { idtyp: undefined, oid: undefined }],
  ['has a number as client', 'okta', { cid: 7 }],
] as const) {
  test(`a token of ${provider} that ${what} is refused`, async (t) => {
    const token = callerOf(provider, { ...PROVIDER_TOKENS[provider].service(CREATE), ...change })

    await t.throwsAsync(token, { instanceOf: AccessTokenRefused })
  })
}

for (const [provider, claims] of [
  ['keycloak', { typ: 'ID', azp: 'countersign', sid: 's1', preferred_username: 'alice' }],
  ['auth0', { nickname: 'alice', sid: 's1', nonce: 'n' }],
  ['okta', { ver: 1, amr: ['pwd'], idp: '00o1', uid: '00u1', name: 'Alice' }],
  ['entra', { oid: 'o1', roles: [CREATE], preferred_username: 'alice', ver: '2.0' }],
  ['cognito', { token_use: 'id', 'cognito:username': 'alice' }],
] as const) {
  test(`an ID token of ${provider} is refused, even for a client whose id is the audience`, async (t) => {
    const { audience } = PROVIDER_TOKENS[provider]
    const token = callerOf(provider, { sub: 'alice', aud: audience, ...claims })

    t.like(await t.throwsAsync(token, { instanceOf: AccessTokenRefused }), { reason: 'no-access-token' })
  })
}

for (const provider of PROVIDERS) {
  for (const [what, change] of [
    ['the hash of an access token', { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }],
    ['the hash of a code', { c_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }],
    ['the hash of a state', { s_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }],
    ['the event of a logout', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    [
      'the event of a revoked session',
      { events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} } },
    ],
    ['the type of an ID token', { typ: 'ID' }],
    ['the type of a refresh token', { typ: 'Refresh' }],
    ['the type of an offline token', { typ: 'Offline' }],
    ['the type of a logout token', { typ: 'Logout' }],
    ['the use of an ID token', { token_use: 'id' }],
    ['the use of a refresh token', { token_use: 'refresh' }],
    ['the token type of a refresh token', { token_type: 'refresh_token' }],
  ] as const) {
    for (const kind of ['user', 'service'] as const) {
      test(`a ${kind}'s token of ${provider} with ${what} is refused`, async (t) => {
        const token = callerOf(provider, { ...PROVIDER_TOKENS[provider][kind](CREATE), ...change })

        t.like(await t.throwsAsync(token, { instanceOf: AccessTokenRefused }), { reason: 'no-access-token' })
      })
    }
  }

  test(`a token of ${provider} with the nonce of a login is refused, unless it says that it is for access`, async (t) => {
    const claims = { ...PROVIDER_TOKENS[provider].user(CREATE), nonce: 'n-0S6' }

    if (provider !== 'keycloak' && provider !== 'cognito') {
      t.like(await t.throwsAsync(callerOf(provider, claims)), { reason: 'no-access-token' })
    }
    const says = provider === 'keycloak' ? { typ: 'Bearer' } : { token_use: 'access' }
    t.like(await callerOf(provider, { ...claims, ...says }), { kind: 'user' })
    t.like(await callerOf(provider, claims, {}, { header: { typ: 'at+jwt' } }), { kind: 'user' })
  })
}

for (const typ of ['Bearer', 'DPoP', undefined]) {
  test(`a token of keycloak of type ${typ} is for access`, async (t) => {
    t.like(await callerOf('keycloak', { ...PROVIDER_TOKENS.keycloak.user(), typ }), { kind: 'user' })
  })
}

for (const typ of ['execute-actions', 'verify-email', 'UserInfo', 'bearer ', 7]) {
  test(`a token of keycloak of type ${typ} is not for access`, async (t) => {
    const token = callerOf('keycloak', { ...PROVIDER_TOKENS.keycloak.user(), typ })

    t.like(await t.throwsAsync(token, { instanceOf: AccessTokenRefused }), { reason: 'no-access-token' })
  })
}

const USER_SCOPES: Readonly<Record<TokenProvider, Claims>> = {
  generic: { scope: 'openid step-up' },
  keycloak: { scope: 'openid step-up' },
  auth0: { scope: 'openid step-up' },
  okta: { scp: ['openid', 'step-up'] },
  entra: { scp: 'openid step-up', roles: undefined },
  cognito: { scope: 'openid countersign/step-up' },
}

for (const provider of PROVIDERS) {
  const { client, userId, user, service } = PROVIDER_TOKENS[provider]

  test(`a user's token of ${provider} needs the scope that the operator demands`, async (t) => {
    const users = { scope: 'step-up' }

    const claims = { ...user(), ...USER_SCOPES[provider] }
    t.deepEqual(await callerOf(provider, claims, {}, { users }), { kind: 'user', userId })

    const error = await t.throwsAsync(callerOf(provider, user(CREATE), {}, { users }), {
      instanceOf: AccessTokenInsufficient,
    })
    t.is(error.reason, 'user-scope')
  })

  test(`a user's token of ${provider} needs a client that the operator allows`, async (t) => {
    const claims = user(CREATE)

    t.deepEqual(await callerOf(provider, claims, {}, { users: { clients: ['app', client] } }), {
      kind: 'user',
      userId,
    })
    for (const clients of [
      ['app'],
      [client.toUpperCase(), client.toLowerCase()].filter((each) => each !== client),
    ]) {
      const error = await t.throwsAsync(callerOf(provider, claims, {}, { users: { clients } }), {
        instanceOf: AccessTokenInsufficient,
      })
      t.is(error.reason, 'user-client')
    }
  })

  test(`a service's token of ${provider} needs nothing of what users' tokens need`, async (t) => {
    const users = { scope: 'step-up', clients: ['app'], maxAgeInSeconds: 1, maxLoginAgeInSeconds: 1 }

    t.like(await callerOf(provider, service(CREATE), {}, { users, issuedAt: secondsAfter(NOON, -200) }), {
      kind: 'client',
    })
  })
}

test('a token without a client is none of an allowed client', async (t) => {
  const claims = { ...PROVIDER_TOKENS.generic.user(), client_id: undefined }

  await t.throwsAsync(callerOf('generic', claims, {}, { users: { clients: [''] } }), {
    instanceOf: AccessTokenInsufficient,
  })
})

const OWN = {
  sub: 'sa-17',
  aud: 'countersign',
  app: 'payments',
  perms: [`mfa/${CREATE}`, CONSUME],
  kind: 'svc',
}
const SETTINGS: ClaimSettings = {
  client: 'app',
  service: { name: 'kind', value: 'svc' },
  scope: 'perms',
  scopePrefix: 'mfa/',
  user: 'person',
}

test('single settings describe a provider that nobody has heard of', async (t) => {
  t.deepEqual(await callerOf('generic', OWN, SETTINGS), {
    kind: 'client',
    clientId: 'payments',
    scopes: new Set([CREATE]),
  })
  t.deepEqual(await callerOf('generic', { ...OWN, kind: 'person', person: 'alice' }, SETTINGS), {
    kind: 'user',
    userId: 'alice',
  })
})

test('a single setting replaces one of a provider and leaves the others', async (t) => {
  const { service, client } = PROVIDER_TOKENS.okta
  const claims = { ...service(), scp: undefined, grants: [CREATE] }

  t.like(await callerOf('okta', claims, { scope: 'grants' }), {
    kind: 'client',
    clientId: client,
    scopes: new Set([CREATE]),
  })
  t.like(await callerOf('okta', { ...claims, uid: 'u' }, { scope: 'grants' }), { kind: 'user' })
})

test('what every object has is no claim', async (t) => {
  const settings: ClaimSettings = { client: 'constructor', scope: 'toString' }

  t.like(await callerOf('generic', PROVIDER_TOKENS.generic.service(), settings), { kind: 'user' })
})
