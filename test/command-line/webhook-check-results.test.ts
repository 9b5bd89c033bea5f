import test from 'ava'
import { webhookCheckResults } from '../../src/command-line/webhook-check-results.ts'
import type { Config } from '../../src/config/read-config.ts'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'
import { NOON } from '../domain/examples.ts'

const key = (id: string) => ({ id, bytes: Buffer.alloc(32, 7) })
const CONFIG: Pick<Config, 'otpKeys' | 'webhooks'> = {
  otpKeys: [key('k2'), key('k1')],
  webhooks: { configured: undefined, destinations: { allowedNetworks: [], allowsPublic: true } },
}
const PAYMENTS: WebhookEndpoint = {
  clientId: 'payments',
  url: 'https://payments.bank.example/events?token=of-the-service',
  secrets: [
    { keyId: 'k2', salt: 'b' },
    { keyId: 'k1', salt: 'a' },
  ],
  pausedAt: undefined,
  registeredBy: 'service',
}

test('endpoints that work are one result, with the keys that have to stay', (t) => {
  const payees = { ...PAYMENTS, clientId: 'payees', url: undefined, secrets: [{ keyId: 'k1', salt: 'c' }] }

  t.deepEqual(webhookCheckResults([PAYMENTS, payees], CONFIG), [
    {
      name: 'webhooks',
      level: 'ok',
      found: '2 endpoints for events, whose secrets need the keys k1, k2',
    },
  ])
  t.is(webhookCheckResults([], CONFIG)[0]?.found, 'no service has an endpoint for events')
})

for (const [what, endpoint, level, found, remedy] of [
  [
    'that is paused',
    { pausedAt: NOON },
    'warning',
    /since 2030-01-01T12:00:00.000Z/,
    /webhooks resume payments/,
  ],
  ['whose key is gone', { secrets: [{ keyId: 'k0', salt: 'a' }] }, 'failed', /needs the key k0/, /--rotate/],
  [
    'that may get none any more',
    { url: 'https://10.0.0.1/of-the-service' },
    'failed',
    /must not lead to/,
    /WEBHOOK_ALLOWED/,
  ],
  [
    'of an earlier configuration',
    { registeredBy: 'configuration' },
    'warning',
    /earlier value of WEBHOOKS/,
    /\{\}/,
  ],
] as const) {
  test(`an endpoint ${what} is a result of its own, with what to do, and without its URL`, (t) => {
    const results = webhookCheckResults(
      [
        { ...PAYMENTS, ...endpoint },
        { ...PAYMENTS, clientId: 'payees' },
      ],
      CONFIG,
    )

    t.is(results.length, 1)
    t.is(results[0]?.level, level)
    t.regex(results[0]?.found ?? '', found)
    t.regex(results[0]?.remedy ?? '', remedy)
    t.false(JSON.stringify(results).includes('of-the-service'))
  })
}

test('an endpoint of the present configuration is nothing to look at, nor is a key in development', (t) => {
  const configured = { ...PAYMENTS, registeredBy: 'configuration' } as const
  const webhooks = { ...CONFIG.webhooks, configured: new Map() }
  const lost = { ...PAYMENTS, secrets: [{ keyId: 'k0', salt: 'a' }] }

  t.is(webhookCheckResults([configured], { ...CONFIG, webhooks })[0]?.level, 'ok')
  t.is(webhookCheckResults([lost], { ...CONFIG, otpKeys: undefined })[0]?.level, 'ok')
})
