import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { ServiceEventDelivery, ServiceEvents } from '../../src/application/ports/service-events.ts'
import type { WebhookEndpoints } from '../../src/application/ports/webhook-endpoints.ts'
import type { ServiceEventOutcome } from '../../src/domain/service-event.ts'
import type { WebhookEndpoint } from '../../src/domain/webhook-endpoint.ts'
import { afterNoon, NOON } from '../domain/examples.ts'
import { consumed, issued, locked, opened, type Stores, verified } from './stores.ts'

export interface ServiceEventStores extends Stores {
  readonly serviceEvents: ServiceEvents
  readonly endpoints: WebhookEndpoints
}

/** The endpoint of the client that `opened` opens challenges for. */
export const PAYMENTS: WebhookEndpoint = {
  clientId: 'payments',
  url: 'https://payments.example/events',
  secrets: [{ keyId: 'k1', salt: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  pausedAt: undefined,
  registeredBy: 'service',
}

const ACCEPTED: ServiceEventOutcome = { status: 'accepted' }
const deferredTo = (nextAttemptAt: Date): ServiceEventOutcome => ({ status: 'deferred', nextAttemptAt })

/** What deliveries and cursors rely on. Called once per adapter, with a storage of its own for each case. */
export function serviceEventsContract(adapter: string, create: () => Promise<ServiceEventStores>): void {
  async function registered(endpoint = PAYMENTS) {
    const stores = await create()
    const { serviceEvents, endpoints } = stores
    await endpoints.save(endpoint, undefined)
    /** As a process with free slots only. */
    const claim = async (at = 60, { perEndpoint = 50, taken = new Map<string, number>() } = {}) => {
      await serviceEvents.number(100)
      return serviceEvents.claim({ perEndpoint, taken }, afterNoon(at), afterNoon(at + 60))
    }
    const record = (delivery: ServiceEventDelivery, outcome: ServiceEventOutcome, at = 60, gone = false) =>
      serviceEvents.record(delivery, outcome, gone, afterNoon(at))
    /** Delivers everything that is due, one after the other, and returns the types. */
    const drain = async (at = 60) => {
      const types: string[] = []
      for (let due = await claim(at); due.length > 0; due = await claim(at)) {
        types.push(...due.map(({ event }) => event.type))
        for (const delivery of due) await record(delivery, ACCEPTED, at)
      }
      return types
    }
    return { stores, serviceEvents, endpoints, claim, record, drain }
  }

  test(`${adapter}: a service gets each event of its challenge, once and in order, without what is not for it`, async (t) => {
    const { stores, drain } = await registered()
    const { id } = await opened(stores)
    await issued(stores, id)
    await verified(stores, id)
    await consumed(stores, id)

    t.deepEqual(await drain(), ['challenge-opened', 'otp-issued', 'challenge-verified', 'challenge-consumed'])
    t.deepEqual(await drain(100_000), [])
  })

  test(`${adapter}: an event has the ids, the time and the details of the one on the trail, and no other`, async (t) => {
    const { stores, serviceEvents } = await registered()
    const { id, subjectUserId } = await opened(stores)
    await issued(stores, id)
    const { lockedUntil } = await locked(stores, id)
    await serviceEvents.number(100)

    const events = await serviceEvents.after('payments', 0, 100)

    const about = { clientId: 'payments', challengeId: id, subjectUserId }
    t.deepEqual(
      events.map(({ id: _, position: __, ...event }) => event),
      [
        { ...about, type: 'challenge-opened', at: NOON, details: { operationType: 'payments.initiate' } },
        { ...about, type: 'otp-issued', at: NOON, details: { number: 1 } },
        { ...about, type: 'otp-rejected', at: NOON, details: { attemptsRemaining: 4 } },
        { ...about, type: 'subject-locked', at: NOON, details: { until: lockedUntil.toISOString() } },
      ],
    )
    for (const event of events) t.regex(event.id, /^[0-9a-f-]{36}$/)
    t.is(new Set(events.map((event) => event.id)).size, 4)
  })

  test(`${adapter}: nothing is queued for a client without an endpoint, before or after it had one`, async (t) => {
    const { stores, serviceEvents, endpoints } = await registered({ ...PAYMENTS, clientId: 'payees' })
    await opened(stores)
    await serviceEvents.number(100)
    t.deepEqual(await serviceEvents.after('payments', 0, 100), [])

    await endpoints.save(PAYMENTS, undefined)
    await opened(stores)
    await endpoints.remove((await endpoints.find('payments'))!)
    await opened(stores)

    t.is(await serviceEvents.number(100), 1)
    t.is((await serviceEvents.after('payments', 0, 100)).length, 1)
  })

  test(`${adapter}: an event is neither listed nor due before it has its position`, async (t) => {
    const { stores, serviceEvents } = await registered()
    await opened(stores)

    t.deepEqual(await serviceEvents.after('payments', 0, 100), [])
    const room = { perEndpoint: 50, taken: new Map() }
    t.deepEqual(await serviceEvents.claim(room, afterNoon(60), afterNoon(120)), [])

    t.is(await serviceEvents.number(100), 1)
    t.is((await serviceEvents.after('payments', 0, 100)).length, 1)
  })

  test(`${adapter}: a cursor gives each event once, in pages of any size`, async (t) => {
    const { stores, serviceEvents } = await registered()
    const seen: number[] = []
    const read = async () => {
      const page = await serviceEvents.after('payments', seen.at(-1) ?? 0, 2)
      seen.push(...page.map(({ position }) => position))
      return page.length
    }
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 3; n++) await opened(stores)
      t.is(await serviceEvents.number(2), 2)
      while ((await read()) > 0) t.pass()
      t.is(await serviceEvents.number(2), 1)
      while ((await read()) > 0) t.pass()
    }

    t.is(seen.length, 9)
    t.deepEqual(
      seen,
      seen.toSorted((one, other) => one - other),
    )
    t.is(new Set(seen).size, 9)
  })

  test(`${adapter}: of parallel calls one numbers an event, and of parallel claims one gets it`, async (t) => {
    const { stores, serviceEvents } = await registered()
    for (let n = 0; n < 5; n++) await opened(stores)

    const numbered = await Promise.all(Array.from({ length: 6 }, () => serviceEvents.number(100)))
    const room = { perEndpoint: 50, taken: new Map() }
    const claims = await Promise.all(
      Array.from({ length: 6 }, () => serviceEvents.claim(room, afterNoon(60), afterNoon(120))),
    )

    t.is(
      numbered.reduce((sum, each) => sum + each),
      5,
    )
    const ids = claims.flat().map(({ event }) => event.id)
    t.is(ids.length, 5)
    t.is(new Set(ids).size, 5)
  })

  test(`${adapter}: an event waits until the one before it in its challenge is finished, and for no other challenge`, async (t) => {
    const { stores, claim, record } = await registered()
    const [one, other] = [await opened(stores), await opened(stores)]
    await issued(stores, one.id)

    const first = await claim()
    t.deepEqual(
      first.map(({ event }) => [event.challengeId, event.type]),
      [
        [one.id, 'challenge-opened'],
        [other.id, 'challenge-opened'],
      ],
    )
    t.deepEqual(await claim(), [])
    await record(first[0]!, deferredTo(afterNoon(900)))
    await record(first[1]!, ACCEPTED)
    await issued(stores, one.id, afterNoon(120))
    t.deepEqual(await claim(899), [])

    const [again, ...others] = await claim(900)
    t.like(again, { event: { id: first[0]!.event.id }, attempt: 2 })
    t.deepEqual(others, [])
    await record(again!, { status: 'given-up' }, 900)
    const [next] = await claim(900)
    t.like(next, { event: { type: 'otp-issued', challengeId: one.id }, attempt: 1 })
  })

  test(`${adapter}: after a lease another claim gets the event, and the late record of the first changes nothing`, async (t) => {
    const { stores, claim, record } = await registered()
    await opened(stores)
    const [first] = await claim(60)
    t.deepEqual(await claim(119), [])
    const [second] = await claim(120)

    t.is(second?.attempt, 2)
    t.is(second?.event.id, first?.event.id)
    t.false(await record(first!, { status: 'given-up' }))
    t.true(await record(second!, ACCEPTED))
    t.false(await record(second!, ACCEPTED))
    t.deepEqual(await claim(100_000), [])
  })

  test(`${adapter}: an endpoint gets no more at the same time than its room, and leaves that of others alone`, async (t) => {
    const { stores, endpoints, claim } = await registered()
    await endpoints.save({ ...PAYMENTS, clientId: 'payees' }, undefined)
    for (let n = 0; n < 8; n++) await opened(stores)
    for (let n = 0; n < 8; n++) await opened(stores, randomUUID(), undefined, 'payees')

    const clientsOf = (deliveries: readonly ServiceEventDelivery[]) =>
      ['payments', 'payees'].map(
        (client) => deliveries.filter(({ event }) => event.clientId === client).length,
      )
    t.deepEqual(clientsOf(await claim(60, { perEndpoint: 3, taken: new Map([['payments', 2]]) })), [1, 3])
    t.deepEqual(clientsOf(await claim(60, { perEndpoint: 3, taken: new Map([['payments', 3]]) })), [0, 3])
    t.deepEqual(clientsOf(await claim(60, { perEndpoint: 3, taken: new Map([['payments', 9]]) })), [0, 2])
  })

  test(`${adapter}: an endpoint without a URL gets nothing, and its events can be read`, async (t) => {
    const { stores, serviceEvents, claim } = await registered({ ...PAYMENTS, url: undefined })
    await opened(stores)

    t.deepEqual(await claim(), [])
    t.is((await serviceEvents.after('payments', 0, 10)).length, 1)
  })

  test(`${adapter}: an endpoint that gets its first URL gets the events from then on, and a replay sends the older ones`, async (t) => {
    const reader = { ...PAYMENTS, url: undefined }
    const { stores, serviceEvents, endpoints, drain } = await registered(reader)
    await endpoints.save({ ...PAYMENTS, clientId: 'payees' }, undefined)
    const { id } = await opened(stores)
    await opened(stores, randomUUID(), undefined, 'payees')
    await serviceEvents.number(100)
    // Nobody has numbered this one yet.
    await issued(stores, id)

    t.true(await endpoints.save(PAYMENTS, reader))
    await verified(stores, id)

    t.deepEqual((await drain()).sort(), ['challenge-opened', 'challenge-verified'])
    t.deepEqual(
      (await serviceEvents.after('payments', 0, 10)).map(({ type }) => type),
      ['challenge-opened', 'otp-issued', 'challenge-verified'],
    )
    t.is(await serviceEvents.replay('payments', { after: 0 }, afterNoon(90)), 3)
    t.deepEqual(await drain(90), ['challenge-opened', 'otp-issued', 'challenge-verified'])
  })

  test(`${adapter}: a reader with a cursor that goes and comes back with a URL gets nothing that was stored for the cursor`, async (t) => {
    const reader = { ...PAYMENTS, url: undefined }
    const { stores, endpoints, drain } = await registered(reader)
    const { id } = await opened(stores)

    await endpoints.remove(reader)
    await endpoints.save(PAYMENTS, undefined)
    await issued(stores, id)

    t.deepEqual(await drain(), ['otp-issued'])
  })

  test(`${adapter}: an endpoint that moves to another URL gets what still waits for it`, async (t) => {
    const { stores, endpoints, drain } = await registered()
    await opened(stores)

    t.true(await endpoints.save({ ...PAYMENTS, url: 'https://payments.example/v2' }, PAYMENTS))

    t.deepEqual(await drain(), ['challenge-opened'])
  })

  test(`${adapter}: of two registrations at once one counts, and neither lets older events out`, async (t) => {
    const reader = { ...PAYMENTS, url: undefined }
    const { stores, endpoints, drain } = await registered(reader)
    for (let n = 0; n < 8; n++) await opened(stores)

    const saved = await Promise.all([1, 2, 3, 4].map(() => endpoints.save(PAYMENTS, reader)))

    t.is(saved.filter(Boolean).length, 1)
    t.deepEqual(await drain(), [])
  })

  test(`${adapter}: an hour of failures pauses an endpoint, which then gets one try in five minutes, and a success ends that`, async (t) => {
    const { stores, endpoints, claim, record, drain } = await registered()
    for (let n = 0; n < 4; n++) await opened(stores)
    const [first, second] = await claim(0, { perEndpoint: 2 })
    await record(first!, deferredTo(afterNoon(10_000)), 0)
    await record(second!, deferredTo(afterNoon(10_000)), 3599)
    t.is((await endpoints.find('payments'))?.pausedAt, undefined)

    const [third] = await claim(3600, { perEndpoint: 1 })
    await record(third!, deferredTo(afterNoon(10_000)), 3600)
    t.deepEqual((await endpoints.find('payments'))?.pausedAt, afterNoon(3600))
    t.deepEqual(await claim(3899), [])
    for (let n = 0; n < 3; n++) await opened(stores)

    const probes = await Promise.all(Array.from({ length: 4 }, () => claim(3900)))
    t.is(probes.flat().length, 1)
    t.deepEqual(await claim(4199), [])
    t.true(await record(probes.flat()[0]!, ACCEPTED, 4199))
    t.is((await endpoints.find('payments'))?.pausedAt, undefined)
    t.is((await drain(4199)).length, 3)
  })

  test(`${adapter}: a success between failures leaves an endpoint as it is`, async (t) => {
    const { stores, endpoints, claim, record } = await registered()
    for (let n = 0; n < 3; n++) await opened(stores)
    const [first, second, third] = await claim(0)
    await record(first!, deferredTo(afterNoon(9000)), 0)
    await record(second!, ACCEPTED, 3000)
    await record(third!, deferredTo(afterNoon(9000)), 4000)

    t.is((await endpoints.find('payments'))?.pausedAt, undefined)
  })

  test(`${adapter}: an endpoint that is gone is paused at once, and gets no try before it is resumed`, async (t) => {
    const { stores, endpoints, claim, record, drain } = await registered()
    for (let n = 0; n < 3; n++) await opened(stores)
    const [first, second] = await claim(0, { perEndpoint: 2 })
    await record(first!, deferredTo(afterNoon(5)), 1, true)
    const paused = (await endpoints.find('payments'))!
    t.deepEqual(paused.pausedAt, afterNoon(1))
    // What was under way when it went.
    await record(second!, ACCEPTED, 2)
    t.deepEqual(await claim(100_000), [])

    t.true(await endpoints.save({ ...paused, pausedAt: undefined }, paused))
    t.is((await drain(100_000)).length, 2)
  })

  test(`${adapter}: an endpoint that somebody paused stays so, whatever its deliveries say`, async (t) => {
    const { stores, endpoints, claim, record } = await registered()
    for (let n = 0; n < 3; n++) await opened(stores)
    const [first, second] = await claim(0, { perEndpoint: 2 })
    const paused = { ...PAYMENTS, pausedAt: NOON }
    t.true(await endpoints.save(paused, PAYMENTS))

    await record(first!, ACCEPTED, 1)
    await record(second!, deferredTo(afterNoon(5)), 5000)

    t.deepEqual(await endpoints.find('payments'), paused)
    t.deepEqual(await claim(100_000), [])
  })

  test(`${adapter}: a replay makes finished events due again, with their ids, positions and order`, async (t) => {
    const { stores, serviceEvents, claim, record, drain } = await registered()
    const { id } = await opened(stores)
    await issued(stores, id)
    await verified(stores, id)
    await drain()
    const before = await serviceEvents.after('payments', 0, 10)
    await opened(stores)
    await claim()

    t.is(await serviceEvents.replay('payees', { after: 0 }, afterNoon(90)), 0)
    t.is(await serviceEvents.replay('payments', { since: new Date(Date.now() + 60_000) }, afterNoon(90)), 0)
    t.is(await serviceEvents.replay('payments', { after: before[0]!.position }, afterNoon(90)), 2)

    t.deepEqual(await claim(89), [])
    const [issue] = await claim(90)
    t.deepEqual(issue, { event: before[1]!, endpoint: PAYMENTS, attempt: 1 })
    t.true(await record(issue!, ACCEPTED, 90))
    t.deepEqual(await drain(90), ['challenge-verified'])
    t.is(await serviceEvents.replay('payments', { since: new Date(0) }, afterNoon(90)), 3)
    t.deepEqual(await drain(90), ['challenge-opened', 'otp-issued', 'challenge-verified'])
  })

  test(`${adapter}: of two who change an endpoint at the same time one does, and the other one learns it`, async (t) => {
    const stores = await create()
    const { endpoints } = stores
    const with_ = (n: number) => ({ ...PAYMENTS, url: `https://payments.example/${n}` })

    const added = await Promise.all([1, 2, 3].map((n) => endpoints.save(with_(n), undefined)))
    t.is(added.filter(Boolean).length, 1)
    const stored = (await endpoints.find('payments'))!
    const salted = { ...stored, secrets: [{ keyId: 'k2', salt: 'B'.repeat(22) }, ...stored.secrets] }
    const changed = await Promise.all([salted, with_(7)].map((each) => endpoints.save(each, stored)))

    t.is(changed.filter(Boolean).length, 1)
    t.deepEqual(await endpoints.find('payments'), changed[0] ? salted : with_(7))
    t.false(await endpoints.save(with_(8), stored))
    await endpoints.save(
      { ...PAYMENTS, clientId: 'a', url: undefined, registeredBy: 'configuration' },
      undefined,
    )
    t.deepEqual(
      (await endpoints.all()).map(({ clientId, url }) => [clientId, url === undefined]),
      [
        ['a', true],
        ['payments', false],
      ],
    )
    await endpoints.remove({ clientId: 'payments', registeredBy: 'configuration' })
    t.not(await endpoints.find('payments'), undefined, 'somebody else has registered it')
    await endpoints.remove((await endpoints.find('payments'))!)
    t.is(await endpoints.find('payments'), undefined)
    t.false(await endpoints.save(with_(9), stored))
  })
}
