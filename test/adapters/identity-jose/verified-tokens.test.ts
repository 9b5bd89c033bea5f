import { webcrypto } from 'node:crypto'
import test from 'ava'
import { type VerifiedToken, VerifiedTokens } from '../../../src/adapters/identity-jose/verified-tokens.ts'
import { secondsAfter } from '../../../src/domain/instant.ts'
import { NOON } from '../../domain/examples.ts'

const verified: VerifiedToken = {
  caller: { kind: 'user', userId: 'alice' },
  header: { alg: 'EdDSA' },
  key: await publicKey(),
  verifiedAt: NOON,
  expiresAt: secondsAfter(NOON, 60),
}

test('a token is found from its verification until it expires', (t) => {
  const tokens = new VerifiedTokens()

  tokens.keep('token', verified)

  t.is(tokens.find('token', secondsAfter(NOON, -1)), undefined)
  t.is(tokens.find('token', NOON), verified)
  t.is(tokens.find('token', secondsAfter(NOON, 59)), verified)
  t.is(tokens.find('token', secondsAfter(NOON, 60)), undefined)
})

test('the token that was verified longest ago makes room for a new one', (t) => {
  const tokens = new VerifiedTokens(2)

  for (const token of ['first', 'second', 'first', 'third']) tokens.keep(token, verified)

  t.is(tokens.find('second', NOON), undefined)
  t.is(tokens.find('first', NOON), verified)
  t.is(tokens.find('third', NOON), verified)
})

async function publicKey() {
  const pair = await webcrypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
  return (pair as webcrypto.CryptoKeyPair).publicKey
}
