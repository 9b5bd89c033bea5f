import test from 'ava'
import { createLocalJWKSet, importPKCS8, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { keysOf as issuerKeySet } from '../../src/adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../../src/adapters/identity-jose/jose-access-tokens.ts'
import { EddsaChallengeSigner } from '../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { AccessTokenRefused } from '../../src/application/ports/access-tokens.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { afterNoon, NOON, openChallenge, TRANSFER } from '../domain/examples.ts'
import { SettableClock } from '../doubles/settable-clock.ts'
import { SUMMARY_DIGESTS } from '../support/summary-digests.ts'

const S1 = { id: 's1', bytes: Buffer.alloc(32, 1) }
const S2 = { id: 's2', bytes: Buffer.alloc(32, 2) }
const challenge = openChallenge()
const candidatesOf = (signer: EddsaChallengeSigner) => issuerKeySet(signer.publicKeys() as JSONWebKeySet)
const keysOf = (signer: EddsaChallengeSigner) => createLocalJWKSet(signer.publicKeys() as JSONWebKeySet)

const OPERATION = {
  type: TRANSFER.type,
  digest: TRANSFER.digest,
  summary_digest: SUMMARY_DIGESTS[0].digest,
}

test('a signature states challenge, subject, client, operation with its summary, and expiry', async (t) => {
  const signer = new EddsaChallengeSigner([S1])

  const { payload, protectedHeader } = await jwtVerify(await signer.sign(challenge), keysOf(signer), {
    currentDate: NOON,
  })

  t.deepEqual(protectedHeader, { alg: 'EdDSA', kid: 's1', typ: 'countersign-challenge+jwt' })
  t.deepEqual(payload, {
    jti: challenge.id,
    sub: 'alice',
    aud: 'payments',
    operation: OPERATION,
    iat: NOON.getTime() / 1000,
    exp: NOON.getTime() / 1000 + 900,
  })
})

test('a signature is byte for byte that of jose, and one from before the summary counts is that of earlier builds', async (t) => {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), S1.bytes])
  const pem = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----`
  const key = await importPKCS8(pem, 'EdDSA')
  const byJose = (operation: object) =>
    new SignJWT({ operation })
      .setProtectedHeader({ alg: 'EdDSA', kid: 's1', typ: 'countersign-challenge+jwt' })
      .setJti(challenge.id)
      .setSubject(challenge.subjectUserId)
      .setAudience(challenge.clientId)
      .setIssuedAt(challenge.createdAt)
      .setExpirationTime(challenge.expiresAt)
      .sign(key)
  const earlier = await byJose({ type: TRANSFER.type, digest: TRANSFER.digest })

  t.is(await new EddsaChallengeSigner([S1]).sign(challenge), await byJose(OPERATION))
  const updating = new EddsaChallengeSigner([S1], afterNoon(0.001))
  t.is(await updating.sign(challenge), earlier)
  t.true(await updating.verifies(challenge, earlier))
  t.false(await new EddsaChallengeSigner([S1], NOON).verifies(challenge, earlier))
})

test('the same challenge has the same signature every time', async (t) => {
  const signer = new EddsaChallengeSigner([S1])

  t.is(await signer.sign(challenge), await signer.sign(challenge))
})

test('signatures of a key that is rotated out still verify, new ones are by the new key', async (t) => {
  const old = await new EddsaChallengeSigner([S1]).sign(challenge)
  const rotated = new EddsaChallengeSigner([S2, S1])

  await t.notThrowsAsync(jwtVerify(old, keysOf(rotated), { currentDate: NOON }))
  const { protectedHeader } = await jwtVerify(await rotated.sign(challenge), keysOf(rotated), {
    currentDate: NOON,
  })
  t.is(protectedHeader.kid, 's2')
})

test('the published keys hold nothing private', (t) => {
  const { keys } = new EddsaChallengeSigner([S1, S2]).publicKeys()

  t.deepEqual(
    keys.map((key) => Object.keys(key).toSorted()),
    Array(2).fill(['alg', 'crv', 'kid', 'kty', 'use', 'x']),
  )
})

test('a signature is recognised under every key that is not removed, and a strange one under none', async (t) => {
  const old = await new EddsaChallengeSigner([S1]).sign(challenge)
  const rotated = new EddsaChallengeSigner([S2, S1])

  t.true(await rotated.verifies(challenge, old))
  t.true(await rotated.verifies(challenge, await rotated.sign(challenge)))
  t.false(await new EddsaChallengeSigner([S2]).verifies(challenge, old))
  for (const strange of [
    '',
    'x',
    `${old}x`,
    old.slice(0, -1),
    await rotated.sign({ ...challenge, id: 'c2' }),
  ]) {
    t.false(await rotated.verifies(challenge, strange))
  }
})

for (const [what, changed] of [
  ['subject', { ...challenge, subjectUserId: 'mallory' }],
  ['client', { ...challenge, clientId: 'shop' }],
  ['operation type', { ...challenge, operation: { ...TRANSFER, type: 'payees.add' } }],
  ['digest', { ...challenge, operation: { ...TRANSFER, digest: `B${TRANSFER.digest.slice(1)}` } }],
  ['summary', { ...challenge, operation: { ...TRANSFER, summary: TRANSFER.summary.slice(1) } }],
  ['expiry', { ...challenge, expiresAt: afterNoon(901) }],
] as const) {
  test(`a signature of a challenge with another ${what} is another one`, async (t) => {
    const signer = new EddsaChallengeSigner([S1])

    t.false(await signer.verifies(changed, await signer.sign(challenge)))
  })
}

const [verified] = Challenge.verify(challenge, 'i1', afterNoon(1.7))
const [consumed] = Challenge.consume(verified, { key: 'key', fingerprint: 'f' }, afterNoon(10))

test('an authorisation states who read and approved which operation for whom, how and when, for five minutes', async (t) => {
  const signer = new EddsaChallengeSigner([S1])

  const { payload, protectedHeader } = await jwtVerify(await signer.authorise(consumed), keysOf(signer), {
    currentDate: afterNoon(10),
    audience: 'payments',
  })

  const noon = NOON.getTime() / 1000
  t.deepEqual(protectedHeader, { alg: 'EdDSA', kid: 's1', typ: 'countersign-authorisation+jwt' })
  t.deepEqual(payload, {
    operation: OPERATION,
    amr: ['otp', 'email'],
    auth_time: noon + 1,
    jti: challenge.id,
    sub: 'alice',
    aud: 'payments',
    iat: noon + 10,
    exp: noon + 310,
  })
  t.is(await signer.authorise(consumed), await signer.authorise(consumed))
})

test('signature and authorisation state the digest of the test vectors for every summary', async (t) => {
  const signer = new EddsaChallengeSigner([S1])
  for (const { summary, digest } of SUMMARY_DIGESTS) {
    const operation = { ...TRANSFER, summary }
    for (const jws of [
      await signer.sign({ ...challenge, operation }),
      await signer.authorise({ ...consumed, operation }),
    ]) {
      const { payload } = await jwtVerify(jws, keysOf(signer), { currentDate: afterNoon(10) })
      t.like(payload.operation, { summary_digest: digest })
    }
  }
})

test('an authorisation passes for no access token, and not for the signature of its challenge', async (t) => {
  const signer = new EddsaChallengeSigner([S1])
  const rules = { issuer: 'https://issuer.example', audience: 'payments' }
  const tokens = new JoseAccessTokens(candidatesOf(signer), rules, new SettableClock(afterNoon(10)))
  const authorisation = await signer.authorise(consumed)

  await t.throwsAsync(tokens.authenticate(authorisation), { instanceOf: AccessTokenRefused })
  t.false(await signer.verifies(consumed, authorisation))
})

test('a signature passes for no access token, not even under the same key', async (t) => {
  const signer = new EddsaChallengeSigner([S1])
  const rules = { issuer: 'https://issuer.example', audience: 'payments' }
  const tokens = new JoseAccessTokens(candidatesOf(signer), rules, new SettableClock(NOON))

  await t.throwsAsync(tokens.authenticate(await signer.sign(challenge)), { instanceOf: AccessTokenRefused })
})
