import { createServer } from 'node:http'
import test from 'ava'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { AuthorisationRefused, verifyAuthorisation } from '../../packages/kit/src/authorisation.ts'
import { summaryDigest } from '../../packages/kit/src/summary-digest.ts'
import { EddsaChallengeSigner } from '../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { listening } from '../http/listening.ts'

const NOON = new Date('2030-01-01T12:00:00.000Z')
const after = (seconds: number) => new Date(NOON.getTime() + seconds * 1000)
const DIGEST = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
const SUMMARY = [{ label: 'Amount', value: 'EUR 1,250.00' }]
const TYPE = 'countersign-authorisation+jwt'
const signer = new EddsaChallengeSigner([{ id: 'k1', bytes: new Uint8Array(32).fill(1) }])

const { privateKey, publicKey } = await generateKeyPair('EdDSA')
const JWKS = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }] }
const EXPECTED = { jwks: JWKS, audience: 'payments', digest: DIGEST, at: NOON }

const CLAIMS: JWTPayload = {
  jti: '0197a000-0000-7000-8000-0000000000c1',
  sub: 'alice',
  aud: 'payments',
  operation: { type: 'payments.initiate', digest: DIGEST },
  amr: ['otp', 'email'],
  auth_time: NOON.getTime() / 1000 - 60,
  iat: NOON.getTime() / 1000,
  exp: NOON.getTime() / 1000 + 300,
}

const signed = (claims: JWTPayload = CLAIMS, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: TYPE, ...header }).sign(privateKey)

test("the service's own authorisation says who approved what, and when", async (t) => {
  const authorisation = await signer.authorise({
    id: CLAIMS.jti!,
    clientId: 'payments',
    subjectUserId: 'alice',
    operation: { type: 'payments.initiate', digest: DIGEST, summary: SUMMARY },
    status: 'consumed',
    createdAt: after(-120),
    expiresAt: after(600),
    attemptsLeft: 5,
    verifiedAt: after(-60),
    consumedAt: NOON,
    consumedBy: { key: 'k', fingerprint: 'f' },
  } as unknown as Parameters<typeof signer.authorise>[0])

  t.deepEqual(
    await verifyAuthorisation(authorisation, {
      ...EXPECTED,
      jwks: signer.publicKeys() as typeof JWKS,
      summary: SUMMARY,
    }),
    {
      challengeId: CLAIMS.jti!,
      subjectUserId: 'alice',
      clientId: 'payments',
      operation: { type: 'payments.initiate', digest: DIGEST, summaryDigest: summaryDigest(SUMMARY) },
      amr: ['otp', 'email'],
      verifiedAt: after(-60),
      consumedAt: NOON,
      expiresAt: after(300),
    },
  )
})

test('an authorisation for which the user read another summary is refused, if that matters', async (t) => {
  const operation = { type: 'payments.initiate', digest: DIGEST, summary_digest: summaryDigest(SUMMARY) }
  const read = await signed({ ...CLAIMS, operation })
  const unstated = await signed()
  const other = { ...EXPECTED, summary: [{ label: 'Amount', value: 'EUR 1.00' }] }

  await t.notThrowsAsync(verifyAuthorisation(read, { ...EXPECTED, summary: SUMMARY }))
  await t.throwsAsync(verifyAuthorisation(read, other), { instanceOf: AuthorisationRefused })
  await t.throwsAsync(verifyAuthorisation(unstated, other), { instanceOf: AuthorisationRefused })
  t.is((await verifyAuthorisation(read, EXPECTED)).operation.summaryDigest, summaryDigest(SUMMARY))
  t.is((await verifyAuthorisation(unstated, EXPECTED)).operation.summaryDigest, undefined)
})

test('an authorisation counts until its end and not at it', async (t) => {
  const authorisation = await signed()

  await t.notThrowsAsync(verifyAuthorisation(authorisation, { ...EXPECTED, at: after(299) }))
  await t.throwsAsync(verifyAuthorisation(authorisation, { ...EXPECTED, at: after(300) }), {
    instanceOf: AuthorisationRefused,
  })
})

test('a statement that lacks a claim, or has another, is refused', async (t) => {
  for (const name of Object.keys(CLAIMS)) {
    const { [name]: _, ...rest } = CLAIMS
    await t.throwsAsync(
      verifyAuthorisation(await signed(rest), EXPECTED),
      { instanceOf: AuthorisationRefused },
      name,
    )
  }
  const others: JWTPayload[] = [
    { aud: 'somebody-else' },
    { aud: ['payments', 'somebody-else'] },
    { operation: { type: 'payments.initiate', digest: DIGEST.replace('4', '5') } },
    { amr: 'otp' },
  ]
  for (const other of others) {
    const authorisation = await signed({ ...CLAIMS, ...other })
    await t.throwsAsync(verifyAuthorisation(authorisation, EXPECTED), { instanceOf: AuthorisationRefused })
  }
})

test('a token of another type, algorithm or key is no authorisation', async (t) => {
  const rsa = await generateKeyPair('RS256')
  const stranger = await generateKeyPair('EdDSA')
  const header = { kid: 'k1', typ: TYPE }
  const authorisation = await signed()
  const forgeries = [
    await signed(CLAIMS, { typ: 'countersign-challenge+jwt' }),
    await signed(CLAIMS, { typ: 'at+jwt' }),
    await signed(CLAIMS, { kid: 'k2' }),
    await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'RS256', ...header }).sign(rsa.privateKey),
    await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', ...header }).sign(new Uint8Array(32)),
    await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'EdDSA', ...header }).sign(stranger.privateKey),
    authorisation.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url')),
    authorisation.replace(/\.[^.]+$/, '.'),
    'not a token',
    '',
  ]
  for (const forgery of forgeries) {
    await t.throwsAsync(verifyAuthorisation(forgery, EXPECTED), { instanceOf: AuthorisationRefused }, forgery)
  }
})

test('keys are fetched once, and keys that cannot be had are not held against the authorisation', async (t) => {
  let fetched = 0
  const url = await listening(
    t,
    createServer((_request, response) => {
      fetched++
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(JWKS))
    }),
  )
  const broken = await listening(
    t,
    createServer((_request, response) => response.writeHead(503).end()),
  )
  const authorisation = await signed()
  const jwks = new URL(`${url}/.well-known/jwks.json`)

  await verifyAuthorisation(authorisation, { ...EXPECTED, jwks })
  await verifyAuthorisation(authorisation, { ...EXPECTED, jwks })
  const unavailable = await t.throwsAsync(
    verifyAuthorisation(authorisation, { ...EXPECTED, jwks: new URL(broken) }),
  )

  t.is(fetched, 1)
  t.false(unavailable instanceof AuthorisationRefused)
})
