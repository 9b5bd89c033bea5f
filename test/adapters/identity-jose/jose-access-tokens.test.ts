import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { type CandidateKeys, keysOf } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import { AccessTokenRefused, IssuerUnavailable } from '../../../src/application/ports/access-tokens.ts'
import { DevelopmentIssuer } from '../../../src/development/development-issuer.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const RULES = { issuer: 'https://issuer.example', audience: 'countersign' }
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const keySet = {
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'EdDSA' } as JWK],
}
const clock = new SettableClock(NOON)
const tokens = new JoseAccessTokens(keysOf(keySet), RULES, clock)

const now = NOON.getTime() / 1000
const GOOD: JWTPayload = { iss: RULES.issuer, aud: RULES.audience, sub: 'alice', iat: now, exp: now + 300 }
const sign = (payload: JWTPayload, header: object = { typ: 'at+jwt' }, key = privateKey) =>
  new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', kid: 'k1', ...header }).sign(key)
const without = (claim: keyof JWTPayload) =>
  Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== claim))

test("a user's token tells the user", async (t) => {
  t.deepEqual(await tokens.authenticate(await sign(GOOD)), { kind: 'user', userId: 'alice' })
})

test("a token whose subject is its client with something behind it, as Auth0 writes it, is no service's", async (t) => {
  const token = await sign({
    ...GOOD,
    sub: 'payments@clients',
    azp: 'payments',
    scope: 'mfa:challenges:create',
  })

  t.deepEqual(await tokens.authenticate(token), { kind: 'user', userId: 'payments@clients' })
})

for (const [what, header] of [
  ['no type', {}],
  ['the type JWT', { typ: 'JWT' }],
  ['the type application/at+jwt', { typ: 'application/at+jwt' }],
] as const) {
  test(`a token with ${what} passes`, async (t) => {
    t.like(await tokens.authenticate(await sign(GOOD, header)), { kind: 'user' })
  })
}

for (const claim of ['client_id', 'azp']) {
  test(`a token whose subject is its ${claim} is a service's, with its scopes`, async (t) => {
    const caller = await tokens.authenticate(
      await sign({
        ...GOOD,
        sub: 'payments',
        [claim]: 'payments',
        scope: 'mfa:challenges:create  mfa:users:write',
      }),
    )

    t.deepEqual(caller, {
      kind: 'client',
      clientId: 'payments',
      scopes: new Set(['mfa:challenges:create', 'mfa:users:write']),
    })
  })
}

test("a user's token stays a user's, whatever client and scope it names", async (t) => {
  const token = await sign({ ...GOOD, client_id: 'app', azp: 'app', scope: 'mfa:challenges:create' })

  t.deepEqual(await tokens.authenticate(token), { kind: 'user', userId: 'alice' })
})

const other = generateKeyPairSync('ed25519')
const secret = new TextEncoder().encode(JSON.stringify(keySet.keys[0]))

for (const [what, token] of [
  ['an empty token', () => ''],
  ['no JWT at all', () => 'abc'],
  ['an unsecured token', () => new UnsecuredJWT(GOOD).encode()],
  [
    'the public key used as a secret',
    () => new SignJWT(GOOD).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret),
  ],
  ["a stranger's key", () => sign(GOOD, {}, other.privateKey)],
  [
    "a stranger's key, enclosed",
    () => sign(GOOD, { jwk: other.publicKey.export({ format: 'jwk' }) }, other.privateKey),
  ],
  ['an unknown key id', () => sign(GOOD, { kid: 'k9' })],
  ['an unknown critical header', () => sign(GOOD, {}).then((jwt) => withHeader(jwt, { crit: ['x'], x: 1 }))],
  ['another type', () => sign(GOOD, { typ: 'countersign-challenge+jwt' })],
  ['the type of an ID token of another profile', () => sign(GOOD, { typ: 'logout+jwt' })],
  ['another issuer', () => sign({ ...GOOD, iss: 'https://evil.example' })],
  ['no issuer', () => sign(without('iss'))],
  ['another audience', () => sign({ ...GOOD, aud: 'shop' })],
  ['no audience', () => sign(without('aud'))],
  ['no expiry', () => sign(without('exp'))],
  ['an expiry that has passed', () => sign({ ...GOOD, exp: now - 10 })],
  ['an expiry in a hundred years', () => sign({ ...GOOD, exp: now + 3_153_600_000 })],
  ['a start that has not come', () => sign({ ...GOOD, nbf: now + 11 })],
  ['a time of issue in the future', () => sign({ ...GOOD, iat: now + 11 })],
  ['no subject', () => sign(without('sub'))],
  ['an empty subject', () => sign({ ...GOOD, sub: '' })],
  ['a number as subject', () => sign({ ...GOOD, sub: 7 as never })],
  ['an object as subject', () => sign({ ...GOOD, sub: { not: '' } as never })],
  ['an array as subject', () => sign({ ...GOOD, sub: ['alice'] as never })],
  ['a subject with a line feed', () => sign({ ...GOOD, sub: 'alice\nadmin' })],
  ['a subject of 256 characters', () => sign({ ...GOOD, sub: 'a'.repeat(256) })],
  ['an object as client', () => sign({ ...GOOD, client_id: { not: '' } })],
] as const) {
  test(`${what} is refused`, async (t) => {
    await t.throwsAsync(tokens.authenticate(await token()), { instanceOf: AccessTokenRefused })
  })
}

const LIMITED = { ...RULES, users: { maxAgeInSeconds: 60, maxLoginAgeInSeconds: 600 } }
const FRESH = { ...GOOD, auth_time: now }

test("a user's token may be as old as the operator says, and not a second older", async (t) => {
  const limited = new JoseAccessTokens(keysOf(keySet), LIMITED, clock)
  const authenticate = async (claims: JWTPayload) => limited.authenticate(await sign({ ...FRESH, ...claims }))

  t.like(await authenticate({ iat: now - 69 }), { kind: 'user' })
  t.like(await t.throwsAsync(authenticate({ iat: now - 70 })), { reason: 'too-old' })
  t.like(await authenticate({ auth_time: now - 609 }), { kind: 'user' })
  t.like(await t.throwsAsync(authenticate({ auth_time: now - 610 })), { reason: 'too-old' })
})

for (const [what, claims, reason] of [
  ['no time of issue', { iat: undefined as never }, 'no-iat'],
  ['no time of login', { auth_time: undefined }, 'no-auth_time'],
  ['a text as time of login', { auth_time: `${now}` }, 'no-auth_time'],
  ['a login in the future', { auth_time: now + 11 }, 'not-yet-valid'],
  ['a login beyond every calendar', { auth_time: 1e300 }, 'not-yet-valid'],
  ['a login before every calendar', { auth_time: -1e300 }, 'too-old'],
  ['a time of issue before every calendar', { iat: -1e300 }, 'too-old'],
] as const) {
  test(`a token with ${what} is refused where its age counts`, async (t) => {
    const limited = new JoseAccessTokens(keysOf(keySet), LIMITED, clock)
    const token = await sign({ ...FRESH, ...claims })

    t.like(await t.throwsAsync(limited.authenticate(token), { instanceOf: AccessTokenRefused }), { reason })
  })
}

test('a token that was known becomes too old', async (t) => {
  const passing = new SettableClock(NOON)
  const limited = new JoseAccessTokens(keysOf(keySet), LIMITED, passing)
  const token = await sign(FRESH)

  t.like(await limited.authenticate(token), { kind: 'user' })
  passing.pass(69)
  t.like(await limited.authenticate(token), { kind: 'user' })
  passing.pass(1)
  t.like(await t.throwsAsync(limited.authenticate(token)), { reason: 'too-old' })
})

for (const tolerance of [0, 10, 60]) {
  test(`a clock difference of ${tolerance} seconds is forgiven where the operator says so, one more is not`, async (t) => {
    const tolerant = new JoseAccessTokens(
      keysOf(keySet),
      { ...RULES, clockToleranceInSeconds: tolerance },
      clock,
    )
    const authenticate = async (claims: JWTPayload) =>
      tolerant.authenticate(await sign({ ...GOOD, ...claims }))

    t.like(await authenticate({ exp: now - tolerance + 1 }), { kind: 'user' })
    t.like(await authenticate({ iat: now + tolerance, nbf: now + tolerance }), { kind: 'user' })
    t.like(await authenticate({ exp: now + 86_400 + tolerance }), { kind: 'user' })
    const expired = { reason: 'ERR_JWT_EXPIRED' }
    t.like(await t.throwsAsync(authenticate({ exp: now - tolerance })), expired)
    for (const claims of [{ iat: now + tolerance + 1 }, { nbf: now + tolerance + 1 }]) {
      t.like(await t.throwsAsync(authenticate(claims)), { reason: 'not-yet-valid' })
    }
    t.like(await t.throwsAsync(authenticate({ exp: now + 86_401 + tolerance })), { reason: 'exp' })
  })
}

test('ten seconds of clock difference are forgiven where the operator says nothing', async (t) => {
  t.like(await tokens.authenticate(await sign({ ...GOOD, iat: now + 10, nbf: now + 10, exp: now + 20 })), {
    kind: 'user',
  })
})

test('a start that is not a number is no matter of clocks', async (t) => {
  const error = await t.throwsAsync(tokens.authenticate(await sign({ ...GOOD, nbf: 'soon' as never })))

  t.like(error, { reason: 'ERR_JWT_CLAIM_VALIDATION_FAILED' })
})

test('tokens of the development issuer pass, each as what it was issued for', async (t) => {
  const issuer = new DevelopmentIssuer(privateKey.export({ format: 'jwk' }) as JWK, RULES, clock)
  const verifier = new JoseAccessTokens(issuer.keys(), RULES, clock)
  const alice = { kind: 'user', userId: 'alice' } as const
  const payments = {
    kind: 'client',
    clientId: 'payments',
    scopes: new Set(['mfa:challenges:create']),
  } as const

  for (const caller of [alice, payments]) {
    const { accessToken, expiresInSeconds } = await issuer.issue(caller)
    t.deepEqual(await verifier.authenticate(accessToken), caller)
    t.is(expiresInSeconds, 3600)
  }
})

test('a token is good until its expiry and the tolerance', async (t) => {
  const later = new JoseAccessTokens(keysOf(keySet), RULES, new SettableClock(secondsAfter(NOON, 309)))
  const tooLate = new JoseAccessTokens(keysOf(keySet), RULES, new SettableClock(secondsAfter(NOON, 310)))

  t.like(await later.authenticate(await sign(GOOD)), { kind: 'user' })
  await t.throwsAsync(tooLate.authenticate(await sign(GOOD)), { instanceOf: AccessTokenRefused })
})

test('a token that was accepted before is accepted as the same caller', async (t) => {
  const token = await sign(GOOD)

  t.is(await tokens.authenticate(token), await tokens.authenticate(token))
})

test('a token that was accepted before is refused once its time is over', async (t) => {
  const moving = new SettableClock(NOON)
  const verifier = new JoseAccessTokens(keysOf(keySet), RULES, moving)
  const token = await sign(GOOD)
  await verifier.authenticate(token)

  moving.pass(309)
  t.like(await verifier.authenticate(token), { kind: 'user' })
  moving.pass(1)
  await t.throwsAsync(verifier.authenticate(token), { instanceOf: AccessTokenRefused })
})

test('a token that was accepted before is refused by a clock that was set back before its time', async (t) => {
  const moving = new SettableClock(NOON)
  const verifier = new JoseAccessTokens(keysOf(keySet), RULES, moving)
  const token = await sign({ ...GOOD, nbf: now })
  await verifier.authenticate(token)

  moving.pass(-11)

  await t.throwsAsync(verifier.authenticate(token), { instanceOf: AccessTokenRefused })
})

for (const [what, keysNow] of [
  ['takes its key back', []],
  [
    'puts another key under its id',
    [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'k1' } as JWK],
  ],
] as const) {
  test(`a token that was accepted before is refused once the issuer ${what}`, async (t) => {
    let published = keysOf(keySet)
    const verifier = new JoseAccessTokens((header) => published(header), RULES, clock)
    const token = await sign(GOOD)
    await verifier.authenticate(token)

    published = keysOf({ keys: [...keysNow] })

    await t.throwsAsync(verifier.authenticate(token), { instanceOf: AccessTokenRefused })
  })
}

test('a token that was accepted before is neither accepted nor refused without keys to hold it against', async (t) => {
  let published: CandidateKeys = keysOf(keySet)
  const verifier = new JoseAccessTokens((header) => published(header), RULES, clock)
  const token = await sign(GOOD)
  await verifier.authenticate(token)

  published = () => {
    throw new IssuerUnavailable('away')
  }

  await t.throwsAsync(verifier.authenticate(token), { instanceOf: IssuerUnavailable })
})

test('a token that differs in one character from an accepted one is refused', async (t) => {
  const token = await sign(GOOD)
  await tokens.authenticate(token)
  const [head, payload, signature] = token.split('.') as [string, string, string]
  const forged = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`

  await t.throwsAsync(tokens.authenticate(`${head}.${payload}.${forged}`), { instanceOf: AccessTokenRefused })
})

function withHeader(jwt: string, header: object): string {
  const [, payload, signature] = jwt.split('.')
  const encoded = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: 'k1', ...header })).toString('base64url')
  return `${encoded}.${payload}.${signature}`
}
