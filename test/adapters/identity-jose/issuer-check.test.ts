import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { IssuerCheck } from '../../../src/adapters/identity-jose/issuer-check.ts'
import { resultsOf } from '../../support/check-results.ts'

const publicKey = (curve: 'P-256' | 'secp256k1') =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ format: 'jwk' })
const ED25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

async function examined(t: ExecutionContext, answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const [finding] = await resultsOf(new IssuerCheck(new URL(`http://127.0.0.1:${port}/jwks.json`)))
  return finding!
}

const keySet =
  (...keys: object[]): RequestListener =>
  (_, response) =>
    response.end(JSON.stringify({ keys }))

test('keys that tokens may be signed with are counted; over plain HTTP they are worth a word', async (t) => {
  const finding = await examined(
    t,
    keySet(
      { ...ED25519, kid: 'a' },
      { ...publicKey('P-256'), kid: 'b', alg: 'ES256', use: 'sig' },
      { ...publicKey('P-256'), kid: 'c', use: 'enc' },
      { ...publicKey('P-256'), kid: 'd', alg: 'ECDH-ES' },
      { ...publicKey('secp256k1'), kid: 'e' },
    ),
  )

  t.is(finding.level, 'warning')
  t.regex(finding.found, /has 2 of 5 public keys .* over plain HTTP$/)
})

test('an issuer whose keys are all for something else is none', async (t) => {
  const finding = await examined(t, keySet({ ...publicKey('P-256'), use: 'enc' }))

  t.is(finding.level, 'failed')
  t.regex(finding.remedy ?? '', /EdDSA/)
})

test('several keys without names cannot be told apart', async (t) => {
  const finding = await examined(t, keySet({ ...ED25519, kid: 'a' }, publicKey('P-256')))

  t.is(finding.level, 'warning')
  t.regex(finding.found, /some without a kid$/)
})

for (const [what, answer, reason] of [
  ['an error', (_, response) => response.writeHead(503).end(), /503/],
  ['a page', (_, response) => response.end('<html>'), /not JSON/],
  ['something else', (_, response) => response.end('{}'), /without keys/],
  ['nothing', (request) => request.socket.destroy(), /UND_ERR_SOCKET|ECONNRESET|no connection/],
] as readonly (readonly [string, RequestListener, RegExp])[]) {
  test(`an issuer that answers with ${what} is told by what is wrong with it`, async (t) => {
    const finding = await examined(t, answer)

    t.is(finding.level, 'failed')
    t.regex(finding.found, reason)
    t.regex(finding.remedy ?? '', /AUTH_JWKS_URL/)
  })
}

test('an issuer that nobody runs is told by the reason', async (t) => {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))

  const [finding] = await resultsOf(new IssuerCheck(new URL(`http://127.0.0.1:${port}/jwks.json`)))

  t.like(finding, { level: 'failed', found: `127.0.0.1:${port} gives no keys: ECONNREFUSED` })
})
