import test from 'ava'
import { ConfigError, readConfig } from '../../src/config/read-config.ts'
import { readSettings } from '../../src/config/settings.ts'

const problemsOf = (env: Record<string, string>) => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** The problems of production that are about endpoints: everything else is missing. */
const inProduction = (env: Record<string, string>) =>
  problemsOf({ NODE_ENV: 'production', ...env }).filter((problem) => problem.startsWith('WEBHOOK'))

test('endpoints are read by client id, their URLs as a delivery calls them', (t) => {
  const { webhooks } = readConfig({
    WEBHOOKS: '{"payments": "HTTP://LocalHost:4000/events", "payees": null, "acme|a/b": "http://[::1]/"}',
  })

  t.deepEqual(
    webhooks.configured as ReadonlyMap<string, string | undefined>,
    new Map([
      ['payments', 'http://localhost:4000/events'],
      ['payees', undefined],
      ['acme|a/b', 'http://[::1]/'],
    ]),
  )
  t.deepEqual(readConfig({ WEBHOOKS: '{}' }).webhooks.configured, new Map())
  t.is(readConfig({}).webhooks.configured, undefined)
})

test('outside production events stay on this machine; in production they go to public addresses and networks that are named', (t) => {
  t.deepEqual(readConfig({ WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8' }).webhooks.destinations, {
    allowedNetworks: ['127.0.0.0/8', '::1'],
    allowsPublic: false,
  })
  t.deepEqual(inProduction({ WEBHOOKS: '{"payments": "https://payments.bank.example/"}' }), [])
  const plain = '{"payments": "http://10.1.2.3/"}'
  t.deepEqual(inProduction({ WEBHOOKS: plain, WEBHOOK_ALLOWED_NETWORKS: '10.1.0.0/16' }), [])
})

for (const [what, value, problem] of [
  ['no JSON', 'https://payments.bank.example/', /^WEBHOOKS must be a JSON object/],
  ['a list', '["https://payments.bank.example/"]', /^WEBHOOKS must be a JSON object/],
  ['null', 'null', /^WEBHOOKS must be a JSON object/],
  ['a client twice', '{"a": null, "a": "https://secret.example/"}', /^WEBHOOKS names a client twice/],
  ['a client twice, escaped', '{"a": null, "\\u0061": null}', /^WEBHOOKS names a client twice/],
  ['no client id', '{"": null}', /^WEBHOOKS has a client id/],
  ['a client id with a line feed', '{"a\\n": null}', /^WEBHOOKS has a client id/],
  ['a number', '{"payments": 7}', /^WEBHOOKS must have a URL or null for payments/],
  ['an object', '{"payments": {"url": "https://secret.example/"}}', /URL or null for payments/],
  ['an empty URL', '{"payments": ""}', /for payments that cannot be used: it must be a URL/],
  ['plain HTTP', '{"payments": "http://secret.example/"}', /it must be an https/],
  ['a password', '{"payments": "https://u:secret@a.example/"}', /it must not have a user/],
  ['a fragment', '{"payments": "https://a.example/#secret"}', /it must not have a fragment/],
  ['a private address', '{"payments": "https://10.1.2.3/secret"}', /it must not lead to/],
  ['two faults', '{"payments": "secret", "payees": "https://[::1]/"}', /payments that cannot be used/],
] as const) {
  test(`endpoints with ${what} are a problem that names the client and no URL`, (t) => {
    const problems = inProduction({ WEBHOOKS: value })

    t.regex(problems[0] ?? '', problem)
    t.is(problems.length, what === 'two faults' ? 2 : 1)
    t.false(/secret/.test(problems.join()))
  })
}

test('a URL off this machine is a problem outside production', (t) => {
  t.deepEqual(problemsOf({ WEBHOOKS: '{"payments": "https://payments.bank.example/"}' }), [
    'WEBHOOKS has a URL for payments that cannot be used: it must stay on this machine, as everything does outside production',
  ])
})

test('networks that are none are one problem', (t) => {
  const problems = inProduction({
    WEBHOOKS: '{"payments": "http://10.1.2.3/"}',
    WEBHOOK_ALLOWED_NETWORKS: 'everywhere',
  })

  t.is(problems.length, 1)
  t.regex(problems[0] ?? '', /^WEBHOOK_ALLOWED_NETWORKS must be addresses or subnets/)
})

test('of endpoints a listing shows the clients: a URL may hold a token', (t) => {
  const settings = readSettings({
    WEBHOOKS: '{"payments": "http://localhost/?token=secret", "payees": null}',
  })

  const { value } = settings.find(({ name }) => name === 'WEBHOOKS')!
  t.is(value, 'withheld, by client: payments, payees')
})
