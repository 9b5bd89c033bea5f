import test from 'ava'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'
import {
  MAX_WEBHOOK_URL,
  WebhookConfigured,
  WebhookMalformed,
  type WebhookNetworks,
  WebhookRegistration,
  WebhookUrl,
} from '../../src/domain/webhook-registration.ts'
import { NOON } from './examples.ts'

const TOO_LONG = { instanceOf: WebhookMalformed, message: 'must have at most 2048 characters' } as const

const PUBLIC: WebhookNetworks = {
  refusalOf: (hostname, encrypted) => {
    if (!encrypted) return 'must be encrypted'
    return hostname === '10.0.0.1' ? 'must not lead there' : undefined
  },
}

const FIRST = { keyId: 'k1', salt: 'first' }
const SECOND = { keyId: 'k1', salt: 'second' }
const THIRD = { keyId: 'k2', salt: 'third' }
const URL_OF_PAYMENTS = WebhookUrl.parse('https://payments.bank.example/events', PUBLIC)
const OTHER_URL = WebhookUrl.parse('https://payments.bank.example/v2', PUBLIC)

const endpoint = (changes: Partial<WebhookEndpoint> = {}): WebhookEndpoint => ({
  clientId: 'payments',
  url: URL_OF_PAYMENTS,
  secrets: [FIRST],
  pausedAt: undefined,
  registeredBy: 'service',
  ...changes,
})

for (const [text, url] of [
  ['https://payments.bank.example/events', 'https://payments.bank.example/events'],
  ['https://payments.bank.example', 'https://payments.bank.example/'],
  ['HTTPS://Payments.Bank.Example:443/Events?tenant=a', 'https://payments.bank.example/Events?tenant=a'],
  ['https://bücher.example:8443/', 'https://xn--bcher-kva.example:8443/'],
  ['https://0x7f.1/', 'https://127.0.0.1/'],
] as const) {
  test(`the URL ${text} is read as ${url}`, (t) => {
    t.is(WebhookUrl.parse(text, PUBLIC) as string, url)
  })
}

for (const [what, text, rule] of [
  ['an empty text', '', /must be a URL/],
  ['a path', '/events', /must be a URL/],
  ['a host without a scheme', 'payments.bank.example', /must be a URL/],
  ['a line feed, which parsers drop', 'https://payments.bank\n.example', /must be a URL/],
  ['a blank at its end', 'https://payments.bank.example ', /must be a URL/],
  ['no host', 'https://', /must be a URL/],
  ['plain HTTP where it is not allowed', 'http://payments.bank.example', /must be encrypted/],
  ['another scheme', 'ftp://payments.bank.example', /must be an https/],
  ['a script', 'javascript:alert(1)', /must be an https/],
  ['a file', 'file:///etc/passwd', /must be an https/],
  ['a user', 'https://user@payments.bank.example', /user or a password/],
  ['a password', 'https://:secret@payments.bank.example', /user or a password/],
  ['a fragment', 'https://payments.bank.example/#a', /fragment/],
  ['an empty fragment', 'https://payments.bank.example/#', /fragment/],
  ['an address that is forbidden, in another spelling', 'https://0xa.1/', /must not lead there/],
] as const) {
  test(`a URL with ${what} is refused, and the rule does not repeat it`, (t) => {
    const error = t.throws(() => WebhookUrl.parse(text, PUBLIC), { instanceOf: WebhookMalformed })

    t.regex(error?.message ?? '', rule)
    t.false(/secret|payments\.bank/.test(error?.message ?? ''))
  })
}

test('a URL may be as long as its bound, as it was sent and as it is read', (t) => {
  const path = (length: number) => `https://a.example/${'a'.repeat(length - 'https://a.example/'.length)}`

  t.is(WebhookUrl.parse(path(MAX_WEBHOOK_URL), PUBLIC).length, MAX_WEBHOOK_URL)
  t.throws(() => WebhookUrl.parse(path(MAX_WEBHOOK_URL + 1), PUBLIC), TOO_LONG)
  // The parser takes all of these steps back.
  t.throws(() => WebhookUrl.parse(`https://a.example${'/..'.repeat(MAX_WEBHOOK_URL / 3)}`, PUBLIC), TOO_LONG)
  // Each of these letters is six characters of the URL.
  const letters = `https://a.example/${'ü'.repeat(MAX_WEBHOOK_URL / 6)}`
  t.throws(() => WebhookUrl.parse(letters, PUBLIC), TOO_LONG)
})

test('plain HTTP leads where the configuration allows it', (t) => {
  const url = WebhookUrl.parse('http://payments.internal/', { refusalOf: () => undefined })

  t.is(url as string, 'http://payments.internal/')
})

test('a new endpoint has one secret, and is not paused', (t) => {
  const demand = { clientId: 'payments', url: URL_OF_PAYMENTS, registeredBy: 'service' } as const

  t.deepEqual(WebhookRegistration.register(undefined, demand, FIRST), endpoint())
})

test('a repeat changes nothing and keeps the secrets', (t) => {
  const current = endpoint({ secrets: [SECOND, FIRST] })
  const demand = { clientId: 'payments', url: URL_OF_PAYMENTS, registeredBy: 'service' } as const

  t.is(WebhookRegistration.register(current, demand, THIRD), current)
})

test('another URL keeps the secrets', (t) => {
  const demand = { clientId: 'payments', url: OTHER_URL, registeredBy: 'service' } as const

  const changed = WebhookRegistration.register(endpoint({ secrets: [SECOND, FIRST] }), demand, THIRD)

  t.deepEqual(changed, endpoint({ url: OTHER_URL, secrets: [SECOND, FIRST] }))
})

test('a service that registers its paused endpoint again resumes it', (t) => {
  const demand = { clientId: 'payments', url: URL_OF_PAYMENTS, registeredBy: 'service' } as const

  t.deepEqual(WebhookRegistration.register(endpoint({ pausedAt: NOON }), demand, SECOND), endpoint())
})

test('a configuration resumes a paused endpoint only with another URL, because each start reads it', (t) => {
  const paused = endpoint({ pausedAt: NOON, registeredBy: 'configuration' })
  const demand = { clientId: 'payments', registeredBy: 'configuration' } as const

  t.is(WebhookRegistration.register(paused, { ...demand, url: URL_OF_PAYMENTS }, SECOND), paused)
  t.is(WebhookRegistration.register(paused, { ...demand, url: OTHER_URL }, SECOND).pausedAt, undefined)
})

test('a configuration takes over what a service has registered, with its secrets', (t) => {
  for (const url of [URL_OF_PAYMENTS, OTHER_URL]) {
    const demand = { clientId: 'payments', url, registeredBy: 'configuration' } as const

    const taken = WebhookRegistration.register(endpoint(), demand, SECOND)

    t.deepEqual(taken, endpoint({ url, registeredBy: 'configuration' }))
  }
})

test('a service cannot change what the operator has registered', (t) => {
  const configured = endpoint({ registeredBy: 'configuration' })
  for (const url of [OTHER_URL, undefined]) {
    const demand = { clientId: 'payments', url, registeredBy: 'service' } as const
    t.throws(() => WebhookRegistration.register(configured, demand, SECOND), {
      instanceOf: WebhookConfigured,
    })
  }
  t.throws(() => WebhookRegistration.assertOwn(configured), { instanceOf: WebhookConfigured })
  t.notThrows(() => WebhookRegistration.assertOwn(endpoint()))
})

test('a service that repeats what the operator has registered resumes it, and does not take it over', (t) => {
  const configured = endpoint({ registeredBy: 'configuration' })
  const demand = { clientId: 'payments', url: URL_OF_PAYMENTS, registeredBy: 'service' } as const

  t.is(WebhookRegistration.register(configured, demand, SECOND), configured)
  t.deepEqual(WebhookRegistration.register({ ...configured, pausedAt: NOON }, demand, SECOND), configured)
})

test('a new secret comes first, and at most the one before stays valid', (t) => {
  const twice = WebhookRegistration.rotateSecret(
    WebhookRegistration.rotateSecret(endpoint(), SECOND, true),
    THIRD,
    true,
  )

  t.deepEqual(twice.secrets, [THIRD, SECOND])
})

test('a secret that leaked is replaced at once', (t) => {
  const current = endpoint({ secrets: [SECOND, FIRST] })

  t.deepEqual(WebhookRegistration.rotateSecret(current, THIRD, false).secrets, [THIRD])
})
