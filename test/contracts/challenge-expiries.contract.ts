import test from 'ava'
import type { ChallengeExpiries } from '../../src/application/ports/challenge-expiries.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import { afterNoon, POLICY } from '../domain/examples.ts'
import { PAYMENTS, type ServiceEventStores } from './service-events.contract.ts'
import {
  type CreateStores,
  consumed,
  issued,
  opened,
  overheard,
  PROVENANCE,
  type Stores,
  verified,
} from './stores.ts'

export interface ExpiringStores extends ServiceEventStores {
  readonly expiries: ChallengeExpiries
}

/** After the end of a challenge that was opened at noon. */
const AFTER_ITS_END = afterNoon(POLICY.challengeLifetimeInSeconds + 1)

/** What the clock of the service relies on. Called once per adapter, with a storage of its own for each case. */
export function challengeExpiriesContract(adapter: string, create: CreateStores<ExpiringStores>): void {
  async function registered() {
    const { stores, ...heard } = await overheard(create)
    await stores.endpoints.save(PAYMENTS, undefined)
    return { stores, ...heard }
  }

  const typesOf = async ({ trail }: Stores, id: string) => (await trail.eventsOf(id)).map(({ type }) => type)

  test(`${adapter}: a challenge that ends by the clock gets its event once, whether it was verified or not`, async (t) => {
    const { stores } = await registered()
    const [pending, approved] = [await opened(stores), await opened(stores)]
    await issued(stores, approved.id)
    await verified(stores, approved.id)
    t.is(await stores.expiries.take(pending.expiresAt, 10), 0)

    const taken = await Promise.all(Array.from({ length: 5 }, () => stores.expiries.take(AFTER_ITS_END, 10)))

    t.is(
      taken.reduce((sum, each) => sum + each),
      2,
    )
    t.deepEqual(await typesOf(stores, pending.id), ['challenge-opened', 'challenge-expired'])
    t.deepEqual((await typesOf(stores, approved.id)).slice(-2), ['challenge-verified', 'challenge-expired'])
    const event = (await stores.trail.eventsOf(pending.id)).at(-1)
    t.deepEqual(event?.at, pending.expiresAt)
    t.is(event?.actor, 'service')
  })

  test(`${adapter}: its service gets to know of it`, async (t) => {
    const { stores, commits } = await registered()
    const { id } = await opened(stores)
    await stores.expiries.take(AFTER_ITS_END, 10)
    await stores.serviceEvents.number(10)

    const told = await stores.serviceEvents.after('payments', 0, 10)

    t.deepEqual(
      told.map(({ type, challengeId }) => [type, challengeId]),
      [
        ['challenge-opened', id],
        ['challenge-expired', id],
      ],
    )
    t.deepEqual(commits.at(-1)?.events.length, 1)
  })

  test(`${adapter}: a challenge that has ended otherwise does not expire`, async (t) => {
    const { stores } = await registered()
    const [used, cancelled] = [await opened(stores), await opened(stores)]
    await issued(stores, used.id)
    await verified(stores, used.id)
    await consumed(stores, used.id)
    const { challenge, standing } = (await stores.stepUps.load(cancelled.id))!
    const [decided, event] = Challenge.cancel(challenge, 'by-client', afterNoon(1))
    await stores.stepUps.save({ challenge: decided, standing, events: [event] }, PROVENANCE)

    t.is(await stores.expiries.take(AFTER_ITS_END, 10), 2)

    t.is((await typesOf(stores, used.id)).at(-1), 'challenge-consumed')
    t.is((await typesOf(stores, cancelled.id)).at(-1), 'challenge-cancelled')
    t.is(await stores.expiries.take(AFTER_ITS_END, 10), 0)
  })

  test(`${adapter}: nobody records the end of a challenge whose client has no endpoint`, async (t) => {
    const { stores } = await overheard(create)
    const { id } = await opened(stores)

    t.is(await stores.expiries.take(AFTER_ITS_END, 10), 0)
    t.deepEqual(await typesOf(stores, id), ['challenge-opened'])
  })

  test(`${adapter}: many ends are taken in parts, the oldest first`, async (t) => {
    const { stores } = await registered()
    for (let n = 0; n < 5; n++) {
      await opened(stores, undefined, { ...POLICY, challengeLifetimeInSeconds: 600 - n })
    }

    t.is(await stores.expiries.take(secondsAfter(AFTER_ITS_END, 600), 2), 2)
    t.is(await stores.expiries.take(afterNoon(599), 9), 1)
    t.is(await stores.expiries.take(secondsAfter(AFTER_ITS_END, 600), 9), 2)
  })

  test(`${adapter}: a decision that was made before the end was recorded is not stored after it`, async (t) => {
    const { stores } = await registered()
    const { id } = await opened(stores)
    const { challenge, standing } = (await stores.stepUps.load(id))!
    const [decided, event] = Challenge.cancel(challenge, 'by-client', afterNoon(1))

    await stores.expiries.take(AFTER_ITS_END, 10)

    t.false(await stores.stepUps.save({ challenge: decided, standing, events: [event] }, PROVENANCE))
    t.deepEqual(await typesOf(stores, id), ['challenge-opened', 'challenge-expired'])
  })
}
