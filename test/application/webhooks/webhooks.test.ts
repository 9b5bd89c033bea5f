import test from 'ava'
import { ApplyConfiguredWebhooks } from '../../../src/application/webhooks/apply-configured-webhooks.ts'
import { PauseWebhook } from '../../../src/application/webhooks/pause-webhook.ts'
import { ReplayServiceEvents } from '../../../src/application/webhooks/replay-service-events.ts'
import {
  WebhookConfigured,
  WebhookMalformed,
  WebhookNotFound,
  type WebhookUrl,
} from '../../../src/domain/webhook-registration.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const URL_OF_PAYMENTS = 'https://payments.bank.example/events'
const OTHER_URL = 'https://payments.bank.example/v2'
const ORIGIN = { keyId: 'k1', salt: 'salt-1' }

const configured = (entries: Readonly<Record<string, string | undefined>>) =>
  new Map(Object.entries(entries) as [string, WebhookUrl | undefined][])

async function registering() {
  const parts = await scenario()
  const { store, webhookSecrets, clock } = parts
  return {
    ...parts,
    applyConfigured: new ApplyConfiguredWebhooks(store.endpoints, webhookSecrets),
    pauseWebhook: new PauseWebhook(store.endpoints, clock),
    replayServiceEvents: new ReplayServiceEvents(store.endpoints, store.serviceEvents, clock),
  }
}

test('a registered endpoint is stored, and its secret is one that the service checks deliveries with', async (t) => {
  const { registerWebhook, findWebhook, webhookSecrets } = await registering()

  const { endpoint, secret, created } = await registerWebhook.execute({
    clientId: 'payments',
    url: URL_OF_PAYMENTS,
  })

  t.true(created)
  t.is(secret, webhookSecrets.secretOf('payments', endpoint.secrets[0]!))
  t.deepEqual(await findWebhook.execute('payments'), endpoint)
})

test('a repeat returns the same secret, so a lost answer loses no secret', async (t) => {
  const { registerWebhook } = await registering()
  const command = { clientId: 'payments', url: URL_OF_PAYMENTS }
  const first = await registerWebhook.execute(command)

  const repeat = await registerWebhook.execute(command)

  t.deepEqual(repeat, { ...first, created: false })
})

test('a repeat stores nothing', async (t) => {
  const { registerWebhook, store } = await registering()
  const command = { clientId: 'payments', url: URL_OF_PAYMENTS }
  await registerWebhook.execute(command)
  store.endpoints.save = async () => t.fail('saved')

  t.false((await registerWebhook.execute(command)).created)
})

test('a secret that cannot be derived for another reason is an error, and not a lost one', async (t) => {
  const { registerWebhook, webhookSecrets } = await registering()
  webhookSecrets.secretOf = () => {
    throw new TypeError('a defect')
  }

  await t.throwsAsync(registerWebhook.execute({ clientId: 'payments', url: undefined }), {
    instanceOf: TypeError,
  })
})

test('registrations at the same moment agree on one secret', async (t) => {
  const { registerWebhook } = await registering()

  const shared = await Promise.all(
    Array.from({ length: 8 }, () => registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })),
  )

  t.is(new Set(shared.map(({ secret }) => secret)).size, 1)
  t.is(shared.filter(({ created }) => created).length, 1)
})

test('a URL that no event may go to is refused, and the endpoint stays as it is', async (t) => {
  const { registerWebhook, findWebhook } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })

  for (const url of ['https://10.0.0.1/', 'http://payments.bank.example/', 'nowhere'])
    await t.throwsAsync(registerWebhook.execute({ clientId: 'payments', url }), {
      instanceOf: WebhookMalformed,
    })

  t.is((await findWebhook.execute('payments')).url, URL_OF_PAYMENTS)
})

test('a secret whose key is gone is not returned, and a rotation makes another one', async (t) => {
  const { registerWebhook, rotateWebhookSecret, webhookSecrets } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })
  webhookSecrets.keyId = 'k2'

  const repeat = await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })
  t.is(repeat.endpoint.url, URL_OF_PAYMENTS)
  const rotated = await rotateWebhookSecret.execute({ clientId: 'payments', keepsPrevious: false })

  t.is(repeat.secret, undefined)
  t.is(rotated.secret, webhookSecrets.secretOf('payments', rotated.endpoint.secrets[0]!))
})

test('rotations at the same moment each make a secret, and the last two are valid', async (t) => {
  const { registerWebhook, rotateWebhookSecret, findWebhook, webhookSecrets } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })

  const rotated = await Promise.all(
    Array.from({ length: 4 }, () =>
      rotateWebhookSecret.execute({ clientId: 'payments', keepsPrevious: true }),
    ),
  )

  const { secrets } = await findWebhook.execute('payments')
  const valid = secrets.map((origin) => webhookSecrets.secretOf('payments', origin))
  t.is(new Set(rotated.map(({ secret }) => secret)).size, 4)
  t.is(valid.filter((secret) => rotated.some((each) => each.secret === secret)).length, 2)
})

test('a client without an endpoint has none to read, rotate, pause or replay to, and removing it is no error', async (t) => {
  const { findWebhook, rotateWebhookSecret, removeWebhook, pauseWebhook, ...others } = await registering()
  const { replayServiceEvents, readServiceEvents } = others
  const clientId = 'payments'

  for (const call of [
    findWebhook.execute(clientId),
    rotateWebhookSecret.execute({ clientId, keepsPrevious: true }),
    pauseWebhook.execute({ clientId, paused: true }),
    replayServiceEvents.execute({ clientId, from: { after: 0 } }),
    readServiceEvents.execute({ clientId, after: 0, limit: 10 }),
  ]) {
    await t.throwsAsync(call, { instanceOf: WebhookNotFound })
  }
  await t.notThrowsAsync(removeWebhook.execute(clientId))
})

test('a removed endpoint is gone, and one that is registered anew has a new secret', async (t) => {
  const { registerWebhook, removeWebhook, findWebhook } = await registering()
  const command = { clientId: 'payments', url: URL_OF_PAYMENTS }
  const first = await registerWebhook.execute(command)

  await removeWebhook.execute('payments')

  await t.throwsAsync(findWebhook.execute('payments'), { instanceOf: WebhookNotFound })
  t.not((await registerWebhook.execute(command)).secret, first.secret)
})

test('a configuration registers its endpoints once, whichever process applies it', async (t) => {
  const { applyConfigured, store } = await registering()
  const configuration = configured({ payments: URL_OF_PAYMENTS, payees: undefined })

  const all = await Promise.all(Array.from({ length: 4 }, () => applyConfigured.execute(configuration)))

  t.deepEqual(all.flatMap(({ registered }) => registered).toSorted(), ['payees', 'payments'])
  t.like(await store.endpoints.find('payments'), { url: URL_OF_PAYMENTS, registeredBy: 'configuration' })
  t.like(await store.endpoints.find('payees'), { url: undefined, registeredBy: 'configuration' })
})

test('a configuration removes what an earlier one had, and leaves what services have registered', async (t) => {
  const { applyConfigured, registerWebhook, store } = await registering()
  await registerWebhook.execute({ clientId: 'crm', url: 'https://crm.bank.example/' })
  await applyConfigured.execute(configured({ payments: URL_OF_PAYMENTS, payees: undefined }))

  const applied = await applyConfigured.execute(configured({ payments: OTHER_URL }))

  t.deepEqual(applied, { registered: ['payments'], removed: ['payees'] })
  t.deepEqual(
    (await store.endpoints.all()).map(({ clientId, url }) => [clientId, url]),
    [
      ['crm', 'https://crm.bank.example/'],
      ['payments', OTHER_URL],
    ],
  )
})

test('a configuration that is applied again changes nothing, and leaves a pause', async (t) => {
  const { applyConfigured, pauseWebhook, store } = await registering()
  const configuration = configured({ payments: URL_OF_PAYMENTS })
  await applyConfigured.execute(configuration)
  await pauseWebhook.execute({ clientId: 'payments', paused: true })

  t.deepEqual(await applyConfigured.execute(configuration), { registered: [], removed: [] })

  t.deepEqual((await store.endpoints.find('payments'))?.pausedAt, NOON)
})

test('a service cannot remove or change what the operator has registered, and may repeat it for its secret', async (t) => {
  const { applyConfigured, registerWebhook, removeWebhook, store } = await registering()
  await applyConfigured.execute(configured({ payments: URL_OF_PAYMENTS }))
  const before = await store.endpoints.find('payments')

  await t.throwsAsync(removeWebhook.execute('payments'), { instanceOf: WebhookConfigured })
  await t.throwsAsync(registerWebhook.execute({ clientId: 'payments', url: OTHER_URL }), {
    instanceOf: WebhookConfigured,
  })
  const repeat = await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })

  t.deepEqual(await store.endpoints.find('payments'), before)
  t.is(repeat.endpoint.registeredBy, 'configuration')
  t.regex(repeat.secret ?? '', /^whsec_/)
})

test('an endpoint is paused once and resumed once', async (t) => {
  const { registerWebhook, pauseWebhook, findWebhook } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })

  t.true(await pauseWebhook.execute({ clientId: 'payments', paused: true }))
  t.deepEqual((await findWebhook.execute('payments')).pausedAt, NOON)
  t.true(await pauseWebhook.execute({ clientId: 'payments', paused: false }))
  t.is((await findWebhook.execute('payments')).pausedAt, undefined)
  t.false(await pauseWebhook.execute({ clientId: 'payments', paused: false }))
})

test('a client reads the events of its own challenges, page by page, and the cursor stays at the end', async (t) => {
  const { registerWebhook, readServiceEvents, open, issue, store } = await registering()
  await registerWebhook.execute({ clientId: 'crm', url: undefined })
  await registerWebhook.execute({ clientId: 'payments', url: undefined })
  const id = await open()
  await issue(id)
  await store.serviceEvents.number(10)
  const page = (after: number) => readServiceEvents.execute({ clientId: 'payments', after, limit: 1 })

  const first = await page(0)
  const second = await page(first.nextAfter)
  const end = await page(second.nextAfter)

  t.deepEqual(
    [first, second].flatMap(({ events }) => events.map(({ type, challengeId }) => [type, challengeId])),
    [
      ['challenge-opened', id],
      ['otp-issued', id],
    ],
  )
  t.deepEqual(end, { events: [], nextAfter: second.nextAfter })
  t.deepEqual((await readServiceEvents.execute({ clientId: 'crm', after: 0, limit: 10 })).events, [])
})

test('replayed events are due again', async (t) => {
  const { registerWebhook, replayServiceEvents, open, store, clock } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })
  await open()
  await store.serviceEvents.number(10)
  const claim = () =>
    store.serviceEvents.claim({ perEndpoint: 4, taken: new Map() }, clock.now(), afterNoon(30))
  const [claimed] = await claim()
  await store.serviceEvents.record(claimed!, { status: 'accepted' }, false, clock.now())
  const from = { after: claimed!.event.position - 1 }

  t.is(await replayServiceEvents.execute({ clientId: 'payments', from }), 1)

  t.is((await claim())[0]?.event.id, claimed!.event.id)
  const none = { after: claimed!.event.position }
  t.is(await replayServiceEvents.execute({ clientId: 'payments', from: none }), 0)
})

test('the origin of a secret is what the endpoint keeps of it', async (t) => {
  const { registerWebhook, store } = await registering()
  await registerWebhook.execute({ clientId: 'payments', url: URL_OF_PAYMENTS })

  t.deepEqual((await store.endpoints.find('payments'))?.secrets, [ORIGIN])
})
