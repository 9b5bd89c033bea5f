import { randomBytes } from 'node:crypto'
import test from 'ava'
import { HkdfWebhookSecrets } from '../../src/adapters/webhook-secrets-hkdf/hkdf-webhook-secrets.ts'
import { WebhookSecretLost } from '../../src/application/ports/webhook-secrets.ts'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'

const ONE = { id: 'one', bytes: randomBytes(32) }
const OTHER = { id: 'other', bytes: randomBytes(32) }
const secrets = new HkdfWebhookSecrets([ONE, OTHER])

test('a new secret comes from the active key and a salt of its own', (t) => {
  const [first, second] = [secrets.newOrigin(), secrets.newOrigin()]

  t.is(first.keyId, 'one')
  t.is(Buffer.from(first.salt, 'base64url').length, 16)
  t.not(first.salt, second.salt)
})

test('a secret is the same each time, and another one for each client, key and salt', (t) => {
  const origin = secrets.newOrigin()
  const secret = secrets.secretOf('payments', origin)

  t.is(new HkdfWebhookSecrets([ONE]).secretOf('payments', origin), secret)
  t.is(Buffer.from(secret.slice('whsec_'.length), 'base64').length, 32)
  const others = [
    secrets.secretOf('payees', origin),
    secrets.secretOf('payments', { ...origin, keyId: 'other' }),
    secrets.secretOf('payments', secrets.newOrigin()),
  ]
  t.is(new Set([secret, ...others]).size, 4)
})

test('a secret outlives the rotation of its key, until the key is gone', (t) => {
  const origin = secrets.newOrigin()
  const secret = secrets.secretOf('payments', origin)

  const during = new HkdfWebhookSecrets([OTHER, ONE])
  t.is(during.newOrigin().keyId, 'other')
  t.is(during.secretOf('payments', origin), secret)
  const after = new HkdfWebhookSecrets([OTHER])
  t.throws(() => after.secretOf('payments', origin), { instanceOf: WebhookSecretLost })
})

test('the secrets of an endpoint stay what they were when its service got them', (t) => {
  const endpoint: WebhookEndpoint = {
    clientId: 'payments',
    url: 'https://payments.bank.example/events',
    secrets: [{ keyId: 'k1', salt: 'AAECAwQFBgcICQoLDA0ODw' }],
    pausedAt: undefined,
    registeredBy: 'service',
  }
  const fixed = new HkdfWebhookSecrets([{ id: 'k1', bytes: Buffer.alloc(32, 7) }])

  t.deepEqual(
    endpoint.secrets.map((origin) => fixed.secretOf(endpoint.clientId, origin)),
    ['whsec_T1e4SZrHeOmx9bdx4+1/QI5qJsqzqp6+4/fJ/qQLYBM='],
  )
})
