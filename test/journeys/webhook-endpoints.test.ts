import test from 'ava'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { tokenOf, until } from './client.ts'
import { countersign, key, production } from './command.ts'
import { createDataDir, startProcess } from './service-process.ts'

const PATH = '/internal/v1/mfa/webhooks/payments'
const URL_OF_PAYMENTS = 'http://127.0.0.1:1/events?token=of-the-service'

test('an operator registers an endpoint, hands its secret over, pauses it, and takes it away again', async (t) => {
  const home = await createDataDir()
  const { url } = await createTestDatabase()
  const env = { DATABASE_URL: url, DATA_DIR: home.path, OTP_KEYS: `k1:${key(1)}` }
  const service = await startProcess({
    ...env,
    WEBHOOKS: JSON.stringify({ payments: URL_OF_PAYMENTS, payees: null }),
  })
  t.teardown(async () => {
    await service.end()
    await home.remove()
  })
  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await countersign(env, ...args)
    t.is(status, 0, stderr)
    return stdout
  }
  const list = async () => JSON.parse(await run('webhooks', 'list', '--json')).endpoints

  const configured = await until(list, ({ length }) => length === 2)
  t.deepEqual(configured, [
    { clientId: 'payees', url: null, pausedAt: null, registeredBy: 'configuration', secretKeys: ['k1'] },
    {
      clientId: 'payments',
      url: 'http://127.0.0.1:1/events?…',
      pausedAt: null,
      registeredBy: 'configuration',
      secretKeys: ['k1'],
    },
  ])

  const token = await tokenOf(service.url, { client_id: 'payments', scope: 'mfa:webhooks:write' })
  const put = (endpoint: string) => call(service.url, 'PUT', PATH, { token, json: { url: endpoint } })
  const secret = (await run('webhooks', 'secret', 'payments')).trim()
  t.is((await put(URL_OF_PAYMENTS)).body.secret, secret)
  t.is((await put('http://127.0.0.1:2/')).status, 409)
  t.is((await call(service.url, 'DELETE', PATH, { token })).status, 409)

  const rotated = (await run('webhooks', 'secret', 'payments', '--rotate')).trim()
  t.not(rotated, secret)
  t.like((await put(URL_OF_PAYMENTS)).body, { secret: rotated, previousSecretSigns: true })
  await run('webhooks', 'secret', 'payments', '--leaked')
  t.false((await put(URL_OF_PAYMENTS)).body.previousSecretSigns)

  t.regex(await run('webhooks', 'pause', 'payments'), /^paused/)
  t.regex(await run('webhooks', 'list'), /payments +paused since/)
  t.is(await run('webhooks', 'resume', 'payments'), 'resumed\n')
  t.is(await run('webhooks', 'resume', 'payments'), 'was not paused\n')
  t.is(await run('webhooks', 'replay', 'payments', '--after', '0'), '0 events are delivered again\n')

  const next = await startProcess({ ...env, WEBHOOKS: '{"payees": null}' })
  t.teardown(() => next.end())
  await until(list, ({ length }) => length === 1)
  t.false(`${service.output()}${next.output()}`.includes('of-the-service'))
})

for (const [what, args, status] of [
  ['without a start', ['replay', 'payments'], 2],
  ['from two starts', ['replay', 'payments', '--after', '0', '--since', '2030-01-31T18:00:00Z'], 2],
  ['from a time without its zone', ['replay', 'payments', '--since', '2030-01-31T18:00:00'], 2],
  ['from a day that is none', ['replay', 'payments', '--since', '2030-02-31T25:00:00Z'], 2],
  ['from half a position', ['replay', 'payments', '--after', '1.5'], 2],
  ['to a client without an endpoint', ['replay', 'payments', '--after', '0'], 1],
  ['of a secret that nobody has', ['secret', 'payments'], 1],
  ['of a pause for nobody', ['pause', 'payments'], 1],
] as const) {
  test(`a command ${what} ends with ${status}, and says why`, async (t) => {
    const { url } = await createTestDatabase()

    const outcome = await countersign({ DATABASE_URL: url, OTP_KEYS: `k1:${key(1)}` }, 'webhooks', ...args)

    t.is(outcome.status, status)
    t.regex(outcome.stderr, status === 2 ? /--after <position>/ : /The client has no endpoint/)
  })
}

test('config check names the client whose URL cannot be used, and not the URL', async (t) => {
  const env = {
    ...production('postgresql://nobody@127.0.0.1:1/none'),
    WEBHOOKS: '{"payments": "https://10.0.0.1/of-the-service"}',
  }

  const { status, stdout, stderr } = await countersign(env, 'config', 'check')

  t.is(status, 2)
  t.regex(stderr, /WEBHOOKS has a URL for payments that cannot be used: it must not lead to/)
  t.false(`${stdout}${stderr}`.includes('of-the-service'))
})
