import test from 'ava'
import { AddressCheckedStepUps } from '../../../src/application/challenges/address-checked-step-ups.ts'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import type { User } from '../../../src/domain/user.ts'
import { stepUpsContract } from '../../contracts/step-ups.contract.ts'
import { issued, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { InMemoryStore } from '../../doubles/in-memory-store.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

stepUpsContract('directed', async (committed) => {
  const store = new InMemoryStore(committed)
  const stepUps = new AddressCheckedStepUps(store, store, new SettableClock(NOON))
  return { stepUps, registry: store, outbox: store, trail: store }
})

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')

/** A challenge whose code went to Alice's address, under a directory that a test can change its mind about. */
async function directed() {
  const store = new InMemoryStore()
  const clock = new SettableClock(NOON)
  const directory = { find: async (userId: string): Promise<User | undefined> => ({ userId, email: ALICE }) }
  const stores = {
    stepUps: new AddressCheckedStepUps(store, directory, clock),
    registry: store,
    outbox: store,
    trail: store,
  }
  const challenge = await opened(stores)
  await issued(stores, challenge.id)
  return { ...stores, store, clock, directory, id: challenge.id }
}

test('the user of a step-up is the one of the directory elsewhere', async (t) => {
  const { stepUps, store, id } = await directed()
  await store.put({ userId: 'nobody', email: ELSEWHERE }, NOON, PROVENANCE)

  t.is((await stepUps.load(id))?.user?.email, ALICE)
})

test('a changed address ends the live challenge that a code was sent for, once and on record', async (t) => {
  const { stepUps, directory, trail, id } = await directed()
  directory.find = async (userId) => ({ userId, email: ELSEWHERE })

  const loads = await Promise.all(Array.from({ length: 5 }, () => stepUps.load(id)))

  t.true(loads.every((stepUp) => stepUp?.challenge.status === 'cancelled'))
  const ends = (await trail.eventsOf(id)).filter(({ type }) => type === 'challenge-cancelled')
  t.is(ends.length, 1)
  t.like(ends[0], { reason: 'email-address-changed', actor: 'service' })
})

test('an address that is the same ends nothing', async (t) => {
  const { stepUps, id } = await directed()

  t.is((await stepUps.load(id))?.challenge.status, 'pending')
})

test('a challenge that is over, or that no code was sent for, stays as it is', async (t) => {
  const { stepUps, directory, clock, id, ...stores } = await directed()
  const fresh = await opened({ ...stores, stepUps })
  directory.find = async (userId) => ({ userId, email: ELSEWHERE })

  t.is((await stepUps.load(fresh.id))?.challenge.status, 'pending')
  clock.pass(900)
  t.is((await stepUps.load(id))?.challenge.status, 'pending')
  t.deepEqual(afterNoon(900), clock.now())
})

test('a directory that cannot tell makes the load fail, and changes nothing', async (t) => {
  const { stepUps, directory, store, id } = await directed()
  directory.find = () => Promise.reject(new DirectoryUnavailable('away'))

  await t.throwsAsync(stepUps.load(id), { instanceOf: DirectoryUnavailable })
  t.is((await store.load(id))?.challenge.status, 'pending')
})
