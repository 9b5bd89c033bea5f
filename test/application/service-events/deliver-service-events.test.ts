import test from 'ava'
import type { WebhookReply } from '../../../src/application/ports/webhook-transport.ts'
import {
  DeliverServiceEvents,
  type ServiceEventReport,
} from '../../../src/application/service-events/deliver-service-events.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { PAYMENTS } from '../../contracts/service-events.contract.ts'
import { issued, opened, verified } from '../../contracts/stores.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { inMemoryStores } from '../../doubles/in-memory/in-memory-stores.ts'
import { InMemoryWebhookTransport } from '../../doubles/in-memory-webhook-transport.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

async function registered() {
  const stores = inMemoryStores()
  await stores.endpoints.save(PAYMENTS, undefined)
  const [transport, clock] = [new InMemoryWebhookTransport(), new SettableClock(NOON)]
  const deliver = new DeliverServiceEvents(stores.serviceEvents, transport, clock, () => 0)
  /** One round: whatever is due at the moment. */
  const round = async () => {
    const attempts = await deliver.execute(new Map())
    return Promise.all(attempts.map((attempt) => attempt.run()))
  }
  return { stores, transport, clock, deliver, round }
}

test('events go out in the order of their challenge, and once', async (t) => {
  const { stores, transport, round } = await registered()
  const { id } = await opened(stores)
  await issued(stores, id)
  await verified(stores, id, NOON)

  const reports = [await round(), await round(), await round(), await round()].flat()

  t.deepEqual(
    reports.map(({ type, outcome, attempt }) => [type, outcome, attempt]),
    [
      ['challenge-opened', 'accepted', 1],
      ['otp-issued', 'accepted', 1],
      ['challenge-verified', 'accepted', 1],
    ],
  )
  t.deepEqual(
    transport.sent.map((event) => event.id),
    reports.map(({ eventId }) => eventId),
  )
})

test('a report has what the endpoint answered, and nothing that it did not', async (t) => {
  const { stores, transport, clock, round } = await registered()
  const { id: challengeId } = await opened(stores)
  const replies = [{ outcome: 'refused', reason: 'timeout' }, { outcome: 'accepted' }] as const

  const reports: ServiceEventReport[] = []
  for (const reply of replies) {
    transport.reply = async () => reply
    reports.push(...(await round()))
    clock.pass(5)
  }

  const { eventId } = reports[0]!
  const about = { eventId, type: 'challenge-opened', challengeId, clientId: 'payments' } as const
  t.deepEqual(reports, [
    { ...about, attempt: 1, outcome: 'deferred', reason: 'timeout' },
    { ...about, attempt: 2, outcome: 'accepted' },
  ])
})

test('an event that is refused comes again by the schedule of a day, is then given up, and the next one follows', async (t) => {
  const { stores, transport, clock, round } = await registered()
  const { id } = await opened(stores)
  await issued(stores, id)
  transport.reply = async () => ({ outcome: 'refused', reason: 'status', status: 500 })

  const outcomes: string[] = []
  for (const wait of [0, 5, 300, 1800, 7200]) {
    clock.pass(wait - 0.001)
    t.deepEqual(await round(), [])
    clock.pass(0.001)
    outcomes.push(...(await round()).map(({ outcome }) => outcome))
  }
  t.deepEqual(outcomes, ['deferred', 'deferred', 'deferred', 'deferred', 'deferred'])
  const paused = (await stores.endpoints.find('payments'))!
  t.truthy(paused.pausedAt)

  // An operator resumes it each time, so that the schedule alone counts.
  for (const wait of [18_000, 36_000, 23_400]) {
    clock.pass(wait)
    const endpoint = (await stores.endpoints.find('payments'))!
    await stores.endpoints.save({ ...endpoint, pausedAt: undefined }, endpoint)
    outcomes.push(...(await round()).map(({ outcome }) => outcome))
  }
  t.deepEqual(outcomes.slice(5), ['deferred', 'deferred', 'given-up'])
  transport.reply = async () => ({ outcome: 'accepted' })
  t.like(await round(), [{ type: 'otp-issued', outcome: 'accepted' }])
})

test('the endpoint decides how much longer to wait', async (t) => {
  const { stores, transport, clock, round } = await registered()
  await opened(stores)
  transport.reply = async () => ({ outcome: 'refused', reason: 'status', status: 429, retryAfterSeconds: 60 })
  t.like(await round(), [{ outcome: 'deferred', reason: 'status', status: 429 }])

  clock.pass(59)
  t.deepEqual(await round(), [])
  clock.pass(1)
  t.is((await round()).length, 1)
})

for (const reply of [
  { outcome: 'refused', reason: 'redirect', status: 302 },
  { outcome: 'refused', reason: 'timeout' },
  { outcome: 'refused', reason: 'connection' },
  { outcome: 'refused', reason: 'forbidden-address' },
  { outcome: 'refused', reason: 'unreadable' },
] as const satisfies readonly WebhookReply[]) {
  test(`an endpoint that ends with "${reply.reason}" gets the event again, and goes on`, async (t) => {
    const { stores, transport, clock, round } = await registered()
    await opened(stores)
    transport.reply = async () => reply
    t.like(await round(), [{ outcome: 'deferred', reason: reply.reason, attempt: 1 }])

    transport.reply = async () => ({ outcome: 'accepted' })
    clock.pass(5)
    t.like(await round(), [{ outcome: 'accepted', attempt: 2 }])
    t.is((await stores.endpoints.find('payments'))?.pausedAt, undefined)
  })
}

test('an endpoint that is gone is paused at once, and its event waits', async (t) => {
  const { stores, transport, clock, round } = await registered()
  await opened(stores)
  transport.reply = async () => ({ outcome: 'refused', reason: 'gone', status: 410 })

  t.like(await round(), [{ outcome: 'deferred', reason: 'gone' }])
  t.deepEqual((await stores.endpoints.find('payments'))?.pausedAt, NOON)
  clock.pass(100_000)
  t.deepEqual(await round(), [])
})

test('a defect of ours is reported with its error, and loses no event', async (t) => {
  const { stores, transport, clock, round } = await registered()
  await opened(stores)
  const defect = new Error('a key is missing')
  transport.reply = () => Promise.reject(defect)
  t.like(await round(), [{ outcome: 'deferred', reason: 'failed', error: defect }])

  transport.reply = async () => ({ outcome: 'accepted' })
  clock.pass(5)
  t.like(await round(), [{ outcome: 'accepted' }])
})

test('an event whose acceptance could not be stored comes again when its lease ends', async (t) => {
  const { stores, transport, clock, round } = await registered()
  await opened(stores)
  const record = stores.serviceEvents.record.bind(stores.serviceEvents)
  stores.serviceEvents.record = () => Promise.reject(new StorageUnavailable('away'))
  t.like(await round(), [{ outcome: 'unrecorded' }])
  stores.serviceEvents.record = record

  clock.pass(59)
  t.deepEqual(await round(), [])
  clock.pass(1)
  t.like(await round(), [{ outcome: 'accepted', attempt: 2 }])
  t.is(transport.sent.length, 2)
  t.is(transport.sent[0]?.id, transport.sent[1]?.id)
})

test('a slow answer that comes after the lease is outdated, and changes nothing', async (t) => {
  const { stores, transport, clock, deliver, round } = await registered()
  await opened(stores)
  const slow = Promise.withResolvers<WebhookReply>()
  transport.reply = () => slow.promise
  const [attempt] = await deliver.execute(new Map())
  const report = attempt!.run()
  clock.pass(60)
  transport.reply = async () => ({ outcome: 'accepted' })
  t.like(await round(), [{ outcome: 'accepted', attempt: 2 }])

  slow.resolve({ outcome: 'refused', reason: 'timeout' })

  t.like(await report, { outcome: 'outdated' })
  clock.pass(100_000)
  t.deepEqual(await round(), [])
})

test('a process gives eight events at once to an endpoint at most, whatever it has under way', async (t) => {
  const { stores, deliver } = await registered()
  for (let n = 0; n < 40; n++) await opened(stores)

  t.is((await deliver.execute(new Map([['payments', 3]]))).length, 5)
  t.is((await deliver.execute(new Map([['payments', 8]]))).length, 0)
  t.is((await deliver.execute(new Map())).length, 8)
  t.deepEqual((await stores.serviceEvents.after('payments', 0, 100)).map(({ at }) => at).slice(0, 1), [
    afterNoon(0),
  ])
})
