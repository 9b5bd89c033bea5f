import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { SignJWT } from 'jose'
import { issuerKeys } from '../../../src/adapters/identity-jose/issuer-keys.ts'
import { JoseAccessTokens } from '../../../src/adapters/identity-jose/jose-access-tokens.ts'
import { AccessTokenRefused, IssuerUnavailable } from '../../../src/application/ports/access-tokens.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const RULES = { issuer: 'https://issuer.example', audience: 'countersign' }
const REFUSED = { instanceOf: AccessTokenRefused }
const UNAVAILABLE = { instanceOf: IssuerUnavailable }
const MINUTE = 60
const DAY = 86_400

const old = generateKeyPairSync('ed25519')
const next = generateKeyPairSync('ed25519')
const jwk = (kid: string, { publicKey } = old) => ({ ...publicKey.export({ format: 'jwk' }), kid })
const keySet =
  (...keys: object[]): RequestListener =>
  (_, response) =>
    response.end(JSON.stringify({ keys }))
const away: RequestListener = (_, response) => response.writeHead(503).end()

/** An issuer whose answer can be changed, the checks that rely on it, and the clock of both. */
async function withIssuer(t: ExecutionContext, answer: RequestListener) {
  const issuer = { answer, calls: 0 }
  const server = createServer((request, response) => {
    issuer.calls += 1
    issuer.answer(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`)

  const clock = new SettableClock(NOON)
  const keyClock = new SettableClock(NOON)
  const { candidates, health } = issuerKeys(url, keyClock)
  const tokens = new JoseAccessTokens(candidates, RULES, clock)
  const authenticate = async (kid: string | undefined, { privateKey } = old) =>
    tokens.authenticate(
      await new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA', ...(kid !== undefined && { kid }) })
        .setIssuer(RULES.issuer)
        .setAudience(RULES.audience)
        .setSubject('alice')
        .setExpirationTime(secondsAfter(NOON, 300))
        .sign(privateKey),
    )
  const at = (seconds: number) => keyClock.pass(seconds - (keyClock.now().getTime() - NOON.getTime()) / 1000)
  return { issuer, authenticate, at, health }
}

test('the issuer is not well until it has given keys once, and is asked every few seconds until then', async (t) => {
  const { issuer, health, at } = await withIssuer(t, away)

  for (let n = 0; n < 3; n++) {
    t.is(
      await health.problem(),
      'the issuer has given no keys yet: The issuer answered 503 instead of a document',
    )
  }
  t.is(issuer.calls, 1)

  issuer.answer = keySet()
  at(3)
  t.is(await health.problem(), 'the issuer publishes no keys')
  t.is(issuer.calls, 2)
})

test('once it has given keys the issuer is well, also while it is away, and the outage is remarked on', async (t) => {
  const { issuer, health, at } = await withIssuer(t, keySet(jwk('old')))
  t.is(await health.problem(), undefined)
  t.is(health.remark?.(), undefined)

  issuer.answer = away
  at(11 * MINUTE)
  t.is(await health.problem(), undefined)
  while (!health.remark?.()) await turn()
  t.is(await health.problem(), undefined)
  t.is(
    health.remark?.(),
    'the issuer gives no keys, and those of 2030-01-01T12:00:00.000Z still count: The issuer answered 503 instead of a document',
  )

  at(DAY)
  t.regex((await health.problem()) ?? '', /^the keys of the issuer are too old: /)

  issuer.answer = keySet(jwk('old'))
  at(DAY + MINUTE)
  while ((await health.problem()) !== undefined) await turn()
  t.is(health.remark?.(), undefined)
})

test('an issuer that refuses connections is named by its code, and its address is not', async (t) => {
  const { health } = issuerKeys(new URL('http://user:secret@127.0.0.1:9/jwks'), new SettableClock(NOON))

  t.regex((await health.problem()) ?? '', /^the issuer has given no keys yet: (?!.*(?:secret|127))/)
})

test('keys are fetched once for any number of tokens', async (t) => {
  const { issuer, authenticate } = await withIssuer(t, keySet(jwk('old')))

  await Promise.all(Array.from({ length: 100 }, () => authenticate('old')))

  t.like(await authenticate('old'), { userId: 'alice' })
  t.is(issuer.calls, 1)
})

test('a new key is picked up thirty seconds after the last fetch, and not before', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = keySet(jwk('old'), jwk('next', next))

  at(29)
  await t.throwsAsync(authenticate('next', next), REFUSED)
  at(30)
  t.like(await authenticate('next', next), { userId: 'alice' })
  t.is(issuer.calls, 2)
})

test('a hundred unknown keys at once cause one fetch', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  at(30)

  await Promise.all(
    Array.from({ length: 100 }, (_, index) => t.throwsAsync(authenticate(`unknown-${index}`), REFUSED)),
  )

  t.is(issuer.calls, 2)
})

test('keys are fetched anew when they are ten minutes old, and not before', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')

  at(10 * MINUTE - 1)
  await authenticate('old')
  at(10 * MINUTE)
  await authenticate('old')

  // The pause tells when the fetch began: one that began a second early would allow another now.
  at(10 * MINUTE + 29)
  await t.throwsAsync(authenticate('unknown'), REFUSED)
  await t.throwsAsync(authenticate('unknown'), REFUSED)
  t.is(issuer.calls, 2)
})

test('a token whose key is known does not wait for newer keys', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  at(10 * MINUTE)
  const asked = new Promise<ServerResponse>((resolve) => {
    issuer.answer = (_, response) => resolve(response)
  })

  t.like(await authenticate('old'), { userId: 'alice' })

  const response = await asked
  t.false(response.destroyed)
  response.end(JSON.stringify({ keys: [jwk('next', next)] }))
  t.like(await authenticate('next', next), { userId: 'alice' })
})

test('a removed key is refused once its issuer has answered again', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = keySet(jwk('next', next))

  at(30)
  await authenticate('next', next)

  await t.throwsAsync(authenticate('old'), REFUSED)
})

test('known keys are honoured for a day without their issuer, and not longer', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = away

  at(DAY - 1)
  t.like(await authenticate('old'), { userId: 'alice' })
  at(DAY + 30)
  await t.throwsAsync(authenticate('old'), UNAVAILABLE)
})

test('a key that is unknown while the issuer is away is no bad token', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = away
  at(30)

  await t.throwsAsync(authenticate('next', next), UNAVAILABLE)
  t.like(await authenticate('old'), { userId: 'alice' })
})

test('an issuer that is away is asked once in thirty seconds, and believed when it is back', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, away)
  await Promise.all(Array.from({ length: 100 }, () => t.throwsAsync(authenticate('old'), UNAVAILABLE)))
  issuer.answer = keySet(jwk('old'))

  at(29)
  await t.throwsAsync(authenticate('old'), UNAVAILABLE)
  t.is(issuer.calls, 1)
  at(30)
  t.like(await authenticate('old'), { userId: 'alice' })
  await t.throwsAsync(authenticate('unknown'), REFUSED)
  t.is(issuer.calls, 2)
})

test('a clock that is set back does not keep a new key out', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = keySet(jwk('next', next))

  at(-DAY)

  t.like(await authenticate('next', next), { userId: 'alice' })
})

test('private and symmetric keys that an issuer publishes are ignored', async (t) => {
  const published = keySet(
    { ...old.privateKey.export({ format: 'jwk' }), kid: 'private' },
    { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
    null as never,
    jwk('next', next),
  )
  const { authenticate } = await withIssuer(t, published)

  await t.throwsAsync(authenticate('private'), REFUSED)
  await t.throwsAsync(authenticate('secret'), REFUSED)
  t.like(await authenticate('next', next), { userId: 'alice' })
})

const unnamed = ({ publicKey } = old) => publicKey.export({ format: 'jwk' })
const others = (count: number) =>
  Array.from({ length: count }, (_, n) => jwk(`other-${n}`, generateKeyPairSync('ed25519')))

test('a token without a key id is checked against every key that fits its algorithm', async (t) => {
  const { authenticate } = await withIssuer(t, keySet(...others(2), jwk('old'), unnamed(next)))

  t.like(await authenticate(undefined), { userId: 'alice' })
  t.like(await authenticate(undefined, next), { userId: 'alice' })
  await t.throwsAsync(authenticate(undefined, generateKeyPairSync('ed25519')), REFUSED)
})

test('a token without a key id costs eight signature checks at most', async (t) => {
  const near = await withIssuer(t, keySet(...others(7), jwk('old')))
  const far = await withIssuer(t, keySet(...others(8), jwk('old')))

  t.like(await near.authenticate(undefined), { userId: 'alice' })
  await t.throwsAsync(far.authenticate(undefined), REFUSED)
  t.like(await far.authenticate('old'), { userId: 'alice' })
})

test('keys that share an id are all tried', async (t) => {
  const { authenticate } = await withIssuer(t, keySet(jwk('old', next), jwk('old')))

  t.like(await authenticate('old'), { userId: 'alice' })
  t.like(await authenticate('old', next), { userId: 'alice' })
})

test('a token with a key id is checked against keys without one, and not against those of another id', async (t) => {
  const { authenticate } = await withIssuer(t, keySet(unnamed(), jwk('next', next)))

  t.like(await authenticate('old'), { userId: 'alice' })
  await t.throwsAsync(authenticate('old', next), REFUSED)
})

for (const [what, kid, replacement] of [
  ['a key without an id', undefined, unnamed(next)],
  ['the key of an id', 'old', jwk('old', next)],
] as const) {
  test(`an issuer that replaces ${what} is asked again when a signature does not fit, once in thirty seconds`, async (t) => {
    const { issuer, authenticate, at } = await withIssuer(t, keySet(kid ? jwk(kid) : unnamed()))
    await authenticate(kid)
    issuer.answer = keySet(replacement)

    at(29)
    await t.throwsAsync(authenticate(kid, next), REFUSED)
    at(30)
    await Promise.all(Array.from({ length: 20 }, () => authenticate(kid, next)))
    await t.throwsAsync(authenticate(kid), REFUSED)
    t.is(issuer.calls, 2)
  })
}

test('a token without a key id is no bad token while the issuer is away, and a key id that is known is', async (t) => {
  const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
  await authenticate('old')
  issuer.answer = away
  at(30)

  await t.throwsAsync(authenticate(undefined, next), UNAVAILABLE)
  await t.throwsAsync(authenticate('old', next), REFUSED)
  t.like(await authenticate(undefined), { userId: 'alice' })
})

test('a token that is known is not checked again because its key was fetched again', async (t) => {
  const clock = new SettableClock(NOON)
  const keys = await publishedKeys(t, jwk('old'), jwk('next', next))
  const { candidates } = issuerKeys(keys.url, clock)
  const header = { alg: 'EdDSA', kid: 'old' }
  const before = await Array.fromAsync(candidates(header))

  clock.pass(3600)
  await Array.fromAsync(candidates(header))
  const after = await Array.fromAsync(candidates(header))

  t.is(keys.calls(), 2)
  t.is(after[0], before[0])
})

async function publishedKeys(t: ExecutionContext, ...keys: object[]) {
  let calls = 0
  const server = createServer((_, response) => {
    calls += 1
    response.end(JSON.stringify({ keys }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`)
  return { url, calls: () => calls }
}

const good = JSON.stringify({ keys: [jwk('old')] })
const padded = (bytes: number) => good.padEnd(bytes)

test('an answer of 256 KiB is read', async (t) => {
  const { authenticate } = await withIssuer(t, (_, response) => response.end(padded(256 * 1024)))

  t.like(await authenticate('old'), { userId: 'alice' })
})

const HOSTILE: Readonly<Record<string, RequestListener>> = {
  HTML: (_, response) => response.end('<html>'),
  null: (_, response) => response.end('null'),
  'a set without keys': (_, response) => response.end('{}'),
  'an error that holds keys': (_, response) => response.writeHead(500).end(good),
  'a byte too much': (_, response) => response.end(padded(256 * 1024 + 1)),
  'a redirect': (request, response) =>
    request.url === '/elsewhere'
      ? response.end(good)
      : response.writeHead(302, { location: '/elsewhere' }).end(good),
  'half a body': (_, response) => {
    response.writeHead(200, { 'content-length': good.length })
    response.write(good.slice(0, 20), () => response.destroy())
  },
  'a reset': (request) => request.socket.destroy(),
  'nothing for five seconds': () => undefined,
}

for (const [what, answer] of Object.entries(HOSTILE)) {
  test(`an issuer that answers ${what} is an outage, and its known keys stay`, async (t) => {
    const { issuer, authenticate, at } = await withIssuer(t, keySet(jwk('old')))
    await authenticate('old')
    issuer.answer = answer
    at(30)

    await t.throwsAsync(authenticate('unknown'), UNAVAILABLE)
    t.like(await authenticate('old'), { userId: 'alice' })
    t.is(issuer.calls, 2)
  })
}
