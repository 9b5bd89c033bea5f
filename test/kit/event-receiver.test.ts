import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import test from 'ava'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import * as onExpress from '../../packages/kit/src/express.ts'
import * as onFastify from '../../packages/kit/src/fastify.ts'
import * as onKoa from '../../packages/kit/src/koa.ts'
import {
  type EventHandlers,
  EventReceiver,
  type EventReceiverOptions,
  type EventRefusalCode,
  EventRefused,
  readEvent,
  type ServiceEvent,
} from '../../packages/kit/src/webhooks.ts'
import { SERVICE_EVENT_TYPES } from '../../src/domain/service-event.ts'
import { listening } from '../http/listening.ts'
import { EVENT, endpointAt, publicKeys, receiver, secrets, transport } from '../support/webhook-deliveries.ts'

const endpoint = endpointAt('')
const SECRET = secrets.secretOf('payments', endpoint.secrets[0]!)
const jwks = publicKeys as unknown as NonNullable<EventReceiverOptions['jwks']>

/** A delivery as it arrives, without a server. */
async function delivered(
  t: Parameters<typeof receiver>[0],
  event = EVENT,
): Promise<{ headers: Record<string, string>; body: string }> {
  const { url, received } = await receiver(t)
  await transport().send({ ...endpoint, url }, event)
  const { headers, body } = received[0]!
  return { headers: headers as Record<string, string>, body }
}

const refusedWith = (code: EventRefusalCode) => ({ instanceOf: EventRefused, message: /./, code })

type Create = (options: EventReceiverOptions, parser: boolean) => Promise<string> | string

const frameworks: Readonly<Record<string, (t: Parameters<typeof receiver>[0]) => Create>> = {
  'no framework': (t) => (options) => {
    const receiver = new EventReceiver(options)
    const server = createServer((request, response) => {
      receiver.receiveFrom(request).then(
        ({ status, body }) =>
          response.writeHead(status, body ? { 'Content-Type': 'application/json' } : {}).end(body),
        () => response.writeHead(500).end(),
      )
    })
    return listening(t, server)
  },
  koa: (t) => (options, parser) => {
    const app = new Koa()
    app.silent = true
    if (parser) app.use(bodyParser())
    app.use(onKoa.receiveEvents(options))
    return listening(t, createServer(app.callback()))
  },
  'koa with the parser for all types': (t) => (options) => {
    const app = new Koa()
    app.silent = true
    app.use(bodyParser({ extendTypes: { json: ['application/cloudevents+json'] } }))
    app.use(onKoa.receiveEvents(options))
    return listening(t, createServer(app.callback()))
  },
  express: (t) => (options, parser) => {
    const app = express()
    app.set('env', 'test')
    if (parser) app.use(express.json())
    app.post('/events', onExpress.receiveEvents(options))
    return listening(t, createServer(app))
  },
  'express with the raw parser': (t) => (options) => {
    const app = express()
    app.set('env', 'test')
    app.post('/events', express.raw({ type: '*/*' }), onExpress.receiveEvents(options))
    return listening(t, createServer(app))
  },
  fastify: (t) => async (options) => {
    const app = fastify()
    await app.register(onFastify.receiveEvents(options), { prefix: '/events' })
    await app.ready()
    return listening(t, app.server)
  },
}

for (const [framework, createApp] of Object.entries(frameworks)) {
  for (const parser of [false, true]) {
    test(`${framework}${parser ? ' after a body parser' : ''}: an event is handled once, whatever the service repeats`, async (t) => {
      const events: ServiceEvent[] = []
      const on: EventHandlers = { 'otp-rejected': (event) => void events.push(event) }
      const url = await createApp(t)({ clientId: 'payments', secrets: [SECRET], on }, parser)
      const send = () => transport().send({ ...endpoint, url: `${url}/events` }, EVENT)

      t.deepEqual(await send(), { outcome: 'accepted' })
      t.deepEqual(await send(), { outcome: 'accepted' })

      t.deepEqual(events, [
        {
          id: EVENT.id,
          type: 'otp-rejected',
          at: EVENT.at,
          challengeId: EVENT.challengeId,
          subjectUserId: 'alice',
          clientId: 'payments',
          position: 42,
          attemptsRemaining: 2,
        },
      ])
    })
  }

  test(`${framework}: an event whose handler fails is answered 500, and handled at the next delivery`, async (t) => {
    let calls = 0
    const on: EventHandlers = {
      'otp-rejected': async () => {
        calls += 1
        if (calls === 1) throw new Error('the database is away')
      },
    }
    const url = await createApp(t)({ clientId: 'payments', secrets: [SECRET], on }, true)
    const send = () => transport().send({ ...endpoint, url: `${url}/events` }, EVENT)

    t.deepEqual(await send(), { outcome: 'refused', reason: 'status', status: 500 })
    t.deepEqual(await send(), { outcome: 'accepted' })
    t.deepEqual(await send(), { outcome: 'accepted' })
    t.is(calls, 2)
  })

  test(`${framework}: what is not signed, too long or nothing is refused in words`, async (t) => {
    const refusals: EventRefusalCode[] = []
    const options = {
      clientId: 'payments',
      secrets: [SECRET],
      on: {},
      onRefused: ({ code }: EventRefused) => void refusals.push(code),
    }
    const url = await createApp(t)(options, true)
    const { headers, body } = await delivered(t)
    const { 'content-length': _, host: __, connection: ___, ...sent } = headers
    const post = async (changes: Record<string, string>, text: string) => {
      const response = await fetch(`${url}/events`, {
        method: 'POST',
        headers: { ...sent, ...changes },
        body: text,
      })
      const isJson = response.headers.get('Content-Type')?.includes('json')
      return [response.status, isJson ? JSON.parse(await response.text()).code : undefined]
    }

    t.deepEqual(await post({}, body.replace('alice', 'mallory')), [401, 'EVENT_SIGNATURE_NOT_VALID'])
    t.deepEqual(await post({ 'webhook-id': 'a.b' }, body), [400, 'EVENT_HEADERS_NOT_VALID'])
    t.deepEqual(refusals, ['EVENT_SIGNATURE_NOT_VALID', 'EVENT_HEADERS_NOT_VALID'])
    t.is((await post({}, ''))[0], 401)
    t.is(((await post({}, 'x'.repeat(70_000)))[0] as number) >= 400, true)
    t.deepEqual(await post({}, body), [204, undefined])
  })
}

test('a framework whose parser has read the event answers 500, and handles nothing', async (t) => {
  let handled = 0
  const app = express()
  app.set('env', 'test')
  app.use(express.json({ type: '*/*' }))
  app.post(
    '/events',
    onExpress.receiveEvents({
      clientId: 'payments',
      secrets: [SECRET],
      on: {
        'otp-rejected': () => {
          handled += 1
        },
      },
    }),
  )
  const url = await listening(t, createServer(app))

  const reply = await transport().send({ ...endpoint, url: `${url}/events` }, EVENT)

  t.deepEqual(reply, { outcome: 'refused', reason: 'status', status: 500 })
  t.is(handled, 0)
})

test('kit, standardwebhooks and svix agree on each delivery', async (t) => {
  const { headers, body } = await delivered(t)
  const now = Number(headers['webhook-timestamp'])
  const [v1, v1a] = headers['webhook-signature']!.split(' ') as [string, string]
  const flipped = `${v1.slice(0, -3)}${v1.at(-3) === 'A' ? 'B' : 'A'}${v1.slice(-2)}`
  const { 'webhook-id': _, ...withoutId } = headers
  const variants: Record<string, [Record<string, string>, string, boolean]> = {
    'as it is': [headers, body, true],
    'v1 alone': [{ ...headers, 'webhook-signature': v1 }, body, true],
    'v1 last': [{ ...headers, 'webhook-signature': `${v1a} ${v1}` }, body, true],
    'v1 after a wrong one': [{ ...headers, 'webhook-signature': `${flipped} ${v1}` }, body, true],
    'v1 after an unknown version': [{ ...headers, 'webhook-signature': `v9,abc ${v1}` }, body, true],
    'v1a alone': [{ ...headers, 'webhook-signature': v1a }, body, false],
    'a bit flipped': [{ ...headers, 'webhook-signature': flipped }, body, false],
    'v1 as v1a': [{ ...headers, 'webhook-signature': v1.replace('v1', 'v1a') }, body, false],
    'v1a as v1': [{ ...headers, 'webhook-signature': v1a.replace('v1a', 'v1') }, body, false],
    'no signature': [{ ...headers, 'webhook-signature': 'v1,' }, body, false],
    'nonsense for a signature': [{ ...headers, 'webhook-signature': 'nonsense' }, body, false],
    'another id': [{ ...headers, 'webhook-id': randomUUID() }, body, false],
    'no id': [withoutId, body, false],
    'another time': [{ ...headers, 'webhook-timestamp': String(now - 1) }, body, false],
    'an old time': [{ ...headers, 'webhook-timestamp': String(now - 600) }, body, false],
    'a time to come': [{ ...headers, 'webhook-timestamp': String(now + 600) }, body, false],
    'no time': [{ ...headers, 'webhook-timestamp': 'soon' }, body, false],
    'a space more': [headers, `${body} `, false],
    'another body': [headers, body.replace('alice', 'mallory'), false],
    'no body': [headers, '', false],
  }
  const kit = new EventReceiver({ clientId: 'payments', secrets: [SECRET], on: {} })

  for (const [what, [given, text, valid]] of Object.entries(variants)) {
    const verdicts = await Promise.all(
      [
        async () => kit.verify(given, text),
        async () => new StandardWebhook(SECRET).verify(text, given),
        async () => new SvixWebhook(SECRET).verify(text, given),
      ].map((verify) =>
        verify().then(
          () => true,
          () => false,
        ),
      ),
    )
    t.deepEqual(verdicts, [valid, valid, valid], what)
  }
})

test('either secret of a service that changes over verifies', async (t) => {
  const other = secrets.secretOf('payments', secrets.newOrigin())
  const { headers, body } = await delivered(t)

  await t.notThrowsAsync(
    new EventReceiver({ clientId: 'payments', secrets: [other, SECRET], on: {} }).verify(headers, body),
  )
  const refused = new EventReceiver({ clientId: 'payments', secrets: [other], on: {} }).verify(headers, body)
  await t.throwsAsync(refused, refusedWith('EVENT_SIGNATURE_NOT_VALID'))
})

test('the published keys verify without a secret, from a document and from its URL', async (t) => {
  const { headers, body } = await delivered(t)
  let served: unknown = { keys: [] }
  let fetches = 0
  const server = createServer((_, response) => {
    fetches += 1
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(served))
  })
  const url = new URL('/.well-known/jwks.json', await listening(t, server))

  await t.notThrowsAsync(new EventReceiver({ clientId: 'payments', jwks, on: {} }).verify(headers, body))
  served = publicKeys
  const remote = new EventReceiver({ clientId: 'payments', jwks: url, on: {} })
  await t.notThrowsAsync(remote.verify(headers, body))
  await t.notThrowsAsync(remote.verify(headers, body))
  t.is(fetches, 1)

  const changed = { ...headers, 'webhook-signature': headers['webhook-signature']!.replace(/v1a,./, 'v1a,_') }
  for (let guess = 0; guess < 20; guess += 1) {
    await t.throwsAsync(remote.verify(changed, body), refusedWith('EVENT_SIGNATURE_NOT_VALID'))
  }
  t.is(fetches, 1)
})

test('while the keys are unavailable, the service is asked to come again', async (t) => {
  const { headers, body } = await delivered(t)
  const server = createServer((_, response) => void response.writeHead(503).end())
  const url = new URL('/jwks.json', await listening(t, server))
  const remote = new EventReceiver({ clientId: 'payments', jwks: url, on: {} })

  t.is((await remote.receive(headers, body)).status, 503)
  const withSecret = new EventReceiver({ clientId: 'payments', jwks: url, secrets: [SECRET], on: {} })
  t.is((await withSecret.receive(headers, body)).status, 204)
})

test("another client's event is refused, though the published key has signed it", async (t) => {
  const { headers, body } = await delivered(t)
  const payees = new EventReceiver({ clientId: 'payees', jwks, on: {} })

  await t.throwsAsync(payees.verify(headers, body), refusedWith('EVENT_OF_ANOTHER_CLIENT'))
  t.is((await payees.receive(headers, body)).status, 403)
})

test('the time of sending may differ by the tolerance, both ways', async (t) => {
  const { headers, body } = await delivered(t)
  const sentAt = Number(headers['webhook-timestamp']) * 1000
  const at = (seconds: number, toleranceInSeconds?: number) =>
    new EventReceiver({
      clientId: 'payments',
      secrets: [SECRET],
      on: {},
      now: () => new Date(sentAt + seconds * 1000),
      ...(toleranceInSeconds !== undefined && { toleranceInSeconds }),
    }).verify(headers, body)

  await t.notThrowsAsync(at(300))
  await t.notThrowsAsync(at(-300))
  await t.throwsAsync(at(301), refusedWith('EVENT_TIME_NOT_VALID'))
  await t.throwsAsync(at(-301), refusedWith('EVENT_TIME_NOT_VALID'))
  await t.notThrowsAsync(at(10, 10))
  await t.throwsAsync(at(11, 10), refusedWith('EVENT_TIME_NOT_VALID'))
  await t.throwsAsync(at(0, Number.NaN), refusedWith('EVENT_TIME_NOT_VALID'))
})

test('a receiver that could verify nothing cannot be made', (t) => {
  const make = (changes: Partial<EventReceiverOptions>) => () =>
    new EventReceiver({ clientId: 'payments', on: {}, ...changes })

  for (const changes of [
    {},
    { secrets: [] },
    { secrets: [''] },
    { secrets: ['whsec_'] },
    { secrets: ['whsec_c2hvcnQ='] },
    { secrets: [SECRET, SECRET.slice('whsec_'.length)] },
    { jwks: new URL('http://countersign.bank.example/jwks.json') },
  ]) {
    const { message } = t.throws(make(changes), { instanceOf: TypeError })
    t.false(message.includes(SECRET.slice('whsec_'.length)))
  }
})

test('the kit knows each type of event that the service sends, with all its details', async (t) => {
  const details: Record<string, Record<string, string | number>> = {
    'challenge-opened': { operationType: 'payments.initiate' },
    'otp-issued': { number: 1 },
    'otp-bounced': { kind: 'hard-bounce' },
    'otp-failed': { reason: 'refused' },
    'otp-rejected': { attemptsRemaining: 2 },
    'challenge-cancelled': { reason: 'by-subject' },
    'challenge-reported': { statusBefore: 'verified', mail: 'lock-notice' },
    'subject-locked': { until: '2026-03-01T13:00:00.000Z' },
  }
  for (const type of SERVICE_EVENT_TYPES) {
    const handled: ServiceEvent[] = []
    const on: EventHandlers = { [type]: (event: ServiceEvent) => void handled.push(event) }
    const kit = new EventReceiver({ clientId: 'payments', secrets: [SECRET], on })
    const { headers, body } = await delivered(t, { ...EVENT, type, details: details[type] ?? {} })

    t.deepEqual(await kit.receive(headers, body), { status: 204, body: '' })
    t.is(handled.length, 1)
    const { id, at, challengeId, subjectUserId, clientId, position, ...peculiar } = handled[0]!
    t.deepEqual(JSON.parse(JSON.stringify(peculiar)), { type, ...details[type] })
  }
})

test('an event of a type that the kit does not know is accepted', async (t) => {
  const { headers, body } = await delivered(t, { ...EVENT, type: 'challenge-pondered' as 'otp-sent' })
  const kit = new EventReceiver({ clientId: 'payments', secrets: [SECRET], on: {} })

  t.is((await kit.receive(headers, body)).status, 204)
  t.is(readEvent(JSON.parse(body)).type, undefined)
})

for (const body of [
  '{',
  '[]',
  'null',
  '{}',
  '{"specversion":"1.0","id":"1","type":"other.thing","time":"2026-03-01T12:00:00Z","data":{}}',
]) {
  test(`${body} is no event, even if it is signed`, async (t) => {
    const signer = new StandardWebhook(SECRET)
    const now = new Date()
    const headers = {
      'webhook-id': randomUUID(),
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': '',
    }
    headers['webhook-signature'] = signer.sign(headers['webhook-id'], now, body)
    const kit = new EventReceiver({ clientId: 'payments', secrets: [SECRET], on: {} })

    await t.throwsAsync(kit.verify(headers, body), refusedWith('EVENT_NOT_VALID'))
  })
}

test('two deliveries of an event at the same time call its handler once', async (t) => {
  const { headers, body } = await delivered(t)
  const go = Promise.withResolvers<void>()
  let calls = 0
  const on: EventHandlers = {
    'otp-rejected': async () => {
      calls += 1
      await go.promise
    },
  }
  const kit = new EventReceiver({ clientId: 'payments', secrets: [SECRET], on })

  const answers = Promise.all([kit.receive(headers, body), kit.receive(headers, body)])
  go.resolve()
  t.deepEqual(
    (await answers).map(({ status }) => status),
    [204, 204],
  )
  t.is(calls, 1)
})

test('two deliveries at the same time both fail if the handler does', async (t) => {
  const { headers, body } = await delivered(t)
  const kit = new EventReceiver({
    clientId: 'payments',
    secrets: [SECRET],
    on: { 'otp-rejected': () => Promise.reject(new Error('the database is away')) },
  })

  const results = await Promise.allSettled([kit.receive(headers, body), kit.receive(headers, body)])
  t.true(results.every(({ status }) => status === 'rejected'))
})

test('what onRefused throws changes no answer', async (t) => {
  const kit = new EventReceiver({
    clientId: 'payments',
    secrets: [SECRET],
    on: {},
    onRefused: () => {
      throw new Error('the log is full')
    },
  })

  t.is((await kit.receive({}, '')).status, 400)
})
