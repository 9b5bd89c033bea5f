import { createSign, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto'
import test from 'ava'
import { type JWK, SignJWT } from 'jose'
import { keysOf } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import { ALGORITHMS, JoseAccessTokens } from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import { AccessTokenRefused } from '../../../src/application/ports/access-tokens.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const RULES = { issuer: 'https://issuer.example', audience: 'countersign' }
const now = NOON.getTime() / 1000
const CLAIMS = { iss: RULES.issuer, aud: RULES.audience, sub: 'alice', iat: now, exp: now + 300 }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const PAIRS: Readonly<Record<string, { publicKey: KeyObject; privateKey: KeyObject }>> = {
  EdDSA: ed25519,
  Ed25519: ed25519,
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
}

/** Authenticates a token against the one key that its issuer publishes. */
function authenticate(token: string, publicKey: KeyObject, jwk: Partial<JWK> = {}) {
  const keys = keysOf({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', ...jwk } as JWK] })
  return new JoseAccessTokens(keys, RULES, new SettableClock(NOON)).authenticate(token)
}

const signed = (alg: string, privateKey: KeyObject | Uint8Array) =>
  new SignJWT(CLAIMS).setProtectedHeader({ alg, kid: 'k1' }).sign(privateKey)

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const assembled = (alg: string, signatureOf: (data: Buffer) => Buffer) => {
  const data = `${encoded({ alg, kid: 'k1' })}.${encoded(CLAIMS)}`
  return `${data}.${signatureOf(Buffer.from(data)).toString('base64url')}`
}

test('the accepted algorithms are those of this table', (t) => {
  t.deepEqual(Object.keys(PAIRS).sort(), [...ALGORITHMS].sort())
})

for (const [alg, { publicKey, privateKey }] of Object.entries(PAIRS)) {
  for (const named of [{}, { alg, use: 'sig' }]) {
    test(`a token signed with ${alg} passes, by a key that ${'alg' in named ? 'names it' : 'names no algorithm'}`, async (t) => {
      t.like(await authenticate(await signed(alg, privateKey), publicKey, named), { userId: 'alice' })
    })
  }
}

for (const [token, key] of [
  ['EdDSA', 'Ed25519'],
  ['Ed25519', 'EdDSA'],
] as const) {
  test(`a token signed with ${token} passes, by a key that says ${key}`, async (t) => {
    const { publicKey, privateKey } = ed25519

    t.like(await authenticate(await signed(token, privateKey), publicKey, { alg: key }), { userId: 'alice' })
  })
}

const REFUSED: readonly (readonly [string, string | Promise<string>, KeyObject])[] = [
  ...['HS256', 'HS384', 'HS512'].map((alg) => {
    const secret = rsa.publicKey.export({ type: 'spki', format: 'pem' })
    return [alg, signed(alg, Buffer.from(secret)), rsa.publicKey] as const
  }),
  ['none', assembled('none', () => Buffer.alloc(0)), rsa.publicKey],
  ['None', assembled('None', () => Buffer.alloc(0)), rsa.publicKey],
  ['RS1', assembled('RS1', (data) => createSign('sha1').update(data).sign(rsa.privateKey)), rsa.publicKey],
  ['rs256', assembled('rs256', (data) => signBytes('sha256', data, rsa.privateKey)), rsa.publicKey],
  [
    'EdDSA with Ed448',
    assembled('EdDSA', (data) => signBytes(null, data, ed448.privateKey)),
    ed448.publicKey,
  ],
  ['Ed448', assembled('Ed448', (data) => signBytes(null, data, ed448.privateKey)), ed448.publicKey],
  ...(() => {
    const { publicKey, privateKey } = ec('secp256k1')
    const sign = (data: Buffer) => signBytes('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return [['ES256K', assembled('ES256K', sign), publicKey] as const]
  })(),
  ...(() => {
    const { publicKey, privateKey } = generateKeyPairSync('ml-dsa-44')
    return [
      ['ML-DSA-44', assembled('ML-DSA-44', (data) => signBytes(null, data, privateKey)), publicKey] as const,
    ]
  })(),
]

for (const [alg, token, publicKey] of REFUSED) {
  test(`a token signed with ${alg} is refused`, async (t) => {
    await t.throwsAsync(authenticate(await token, publicKey), { instanceOf: AccessTokenRefused })
  })
}

test('a token signed with RSA of 1024 bits is refused', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const token = assembled('RS256', (data) => signBytes('sha256', data, privateKey))

  await t.throwsAsync(authenticate(token, publicKey), { instanceOf: AccessTokenRefused })
})

for (const alg of ['RS256', 'ES256', 'Ed25519']) {
  test(`a key for something else than signatures does not vouch for ${alg}`, async (t) => {
    const { publicKey, privateKey } = PAIRS[alg]!

    await t.throwsAsync(authenticate(await signed(alg, privateKey), publicKey, { use: 'enc' }), {
      instanceOf: AccessTokenRefused,
    })
  })
}

test('a key that names an algorithm vouches for no other', async (t) => {
  await t.throwsAsync(authenticate(await signed('PS256', rsa.privateKey), rsa.publicKey, { alg: 'RS256' }), {
    instanceOf: AccessTokenRefused,
  })
})
