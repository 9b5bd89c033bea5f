import { createPublicKey, verify } from 'node:crypto'
import test from 'ava'
import { CloudEvent, HTTP } from 'cloudevents'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import {
  EVENT,
  endpointAt,
  publicKeys,
  receiver,
  secrets,
  transport,
} from '../../support/webhook-deliveries.ts'

test('a delivery is one event of CloudEvents 1.0, with ids and no text', async (t) => {
  const { url, received } = await receiver(t)

  t.deepEqual(await transport().send(endpointAt(`${url}?of=payments`), EVENT), { outcome: 'accepted' })

  const [delivery] = received
  t.is(delivery?.method, 'POST')
  t.is(delivery?.path, '/events?of=payments')
  t.is(delivery?.headers['content-type'], 'application/cloudevents+json; charset=utf-8')
  t.deepEqual(JSON.parse(delivery!.body), {
    specversion: '1.0',
    id: EVENT.id,
    source: '/internal/v1/mfa/challenges',
    type: 'countersign.otp-rejected',
    subject: EVENT.challengeId,
    time: '2026-03-01T12:00:00.000Z',
    datacontenttype: 'application/json',
    data: {
      challengeId: EVENT.challengeId,
      clientId: 'payments',
      subjectUserId: 'alice',
      position: 42,
      attemptsRemaining: 2,
    },
  })
})

test('cloudevents reads a delivery', async (t) => {
  const { url, received } = await receiver(t)
  await transport().send(endpointAt(url), EVENT)

  const { headers, body } = received[0]!
  const event = HTTP.toEvent({ headers, body }) as CloudEvent<{ attemptsRemaining: number }>

  t.true(event instanceof CloudEvent)
  t.true(event.validate())
  t.is(event.id, EVENT.id)
  t.is(event.time, EVENT.at.toISOString())
  t.is(event.data?.attemptsRemaining, 2)
})

for (const [library, verified] of [
  ['standardwebhooks', (secret: string) => new StandardWebhook(secret)],
  ['svix', (secret: string) => new SvixWebhook(secret)],
] as const) {
  test(`${library} verifies a delivery, and none that was changed or is for another client`, async (t) => {
    const { url, received } = await receiver(t)
    const endpoint = endpointAt(url)
    await transport().send(endpoint, EVENT)
    const { headers, body } = received[0]!
    const delivered = headers as Record<string, string>
    const [origin] = endpoint.secrets

    const webhook = verified(secrets.secretOf('payments', origin!))
    t.notThrows(() => webhook.verify(body, delivered))
    t.throws(() => webhook.verify(body.replace('alice', 'mallory'), delivered))
    t.throws(() => webhook.verify(body, { ...delivered, 'webhook-id': crypto.randomUUID() }))
    t.throws(() => verified(secrets.secretOf('payees', origin!)).verify(body, delivered))
  })

  test(`${library} verifies with either secret while a service changes over`, async (t) => {
    const { url, received } = await receiver(t)
    const endpoint = { ...endpointAt(url), secrets: [secrets.newOrigin(), secrets.newOrigin()] }
    await transport().send(endpoint, EVENT)
    const { headers, body } = received[0]!

    for (const origin of endpoint.secrets) {
      const webhook = verified(secrets.secretOf('payments', origin))
      t.notThrows(() => webhook.verify(body, headers as Record<string, string>))
    }
  })
}

test('a secret whose key is gone takes its own signature along, and no delivery', async (t) => {
  const { url, received } = await receiver(t)
  const [kept, lost] = [secrets.newOrigin(), { keyId: 'k0', salt: 'AAECAwQFBgcICQoLDA0ODw' }]
  const endpoint = { ...endpointAt(url), secrets: [kept, lost] }

  t.deepEqual(await transport().send(endpoint, EVENT), { outcome: 'accepted' })
  t.deepEqual(await transport().send({ ...endpoint, secrets: [lost] }, EVENT), { outcome: 'accepted' })

  const versions = received.map(({ headers }) =>
    (headers['webhook-signature'] as string).split(' ').map((signature) => signature.split(',')[0]),
  )
  t.deepEqual(versions, [['v1', 'v1a'], ['v1a']])
})

test('the published key verifies a delivery', async (t) => {
  const { url, received } = await receiver(t)
  await transport().send(endpointAt(url), EVENT)

  const { headers, body } = received[0]!
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const [, signature] = /(?:^| )v1a,(\S+)/.exec(headers['webhook-signature'] as string) ?? []
  const key = createPublicKey({ key: publicKeys.keys[0]!, format: 'jwk' })
  t.true(verify(null, Buffer.from(content), key, Buffer.from(signature!, 'base64')))
})

test('another delivery of an event has the same id, and the time of its own sending', async (t) => {
  const { url, received } = await receiver(t)
  const endpoint = endpointAt(url)
  const sender = transport()
  await sender.send(endpoint, EVENT)
  await sender.send(endpoint, EVENT)

  t.deepEqual(
    received.map(({ headers }) => headers['webhook-id']),
    [EVENT.id, EVENT.id],
  )
  t.is(received[0]?.body, received[1]?.body)
  const sentAt = Number(received[1]?.headers['webhook-timestamp'])
  t.true(Math.abs(Date.now() / 1000 - sentAt) < 60)
})
