import test from 'ava'
import { AddressCheckedStepUps } from '../../../src/application/challenges/address-checked-step-ups.ts'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { User, type Whereabouts } from '../../../src/domain/user.ts'
import { movedAddressContract } from '../../contracts/moved-address.contract.ts'
import { stepUpsContract } from '../../contracts/step-ups.contract.ts'
import { issued, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, NOON } from '../../domain/examples.ts'
import { inMemoryStores } from '../../doubles/in-memory/in-memory-stores.ts'

stepUpsContract('directed', async (committed) => {
  const store = inMemoryStores(committed)
  const directory = {
    locate: async (userId: string) => User.whereabouts(await store.registry.find(userId)),
  }
  return { ...store, stepUps: new AddressCheckedStepUps(store.stepUps, directory) }
})

movedAddressContract('in memory', async () => inMemoryStores())

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')

/** A challenge whose code went to Alice's address, under a directory that a test can change its mind about. */
async function directed() {
  const store = inMemoryStores()
  const directory = {
    locate: async (userId: string): Promise<Whereabouts> => ({ user: { userId, email: ALICE } }),
  }
  const stores = { ...store, stepUps: new AddressCheckedStepUps(store.stepUps, directory) }
  const challenge = await opened(stores)
  await issued(stores, challenge.id)
  return { ...stores, store, directory, id: challenge.id }
}

test('the user of a step-up is the one of the directory elsewhere', async (t) => {
  const { stepUps, store, id } = await directed()
  await store.registry.put({ userId: 'nobody', email: ELSEWHERE }, NOON, PROVENANCE)

  t.is((await stepUps.load(id))?.user?.email, ALICE)
})

test('a load gives the changed address, and writes nothing', async (t) => {
  const { stepUps, directory, store, id } = await directed()
  const [before, events] = [await store.stepUps.load(id), store.events.length]
  directory.locate = async (userId) => ({ user: { userId, email: ELSEWHERE } })

  const loads = await Promise.all(Array.from({ length: 5 }, () => stepUps.load(id)))

  for (const stepUp of loads) t.like(stepUp, { user: { email: ELSEWHERE }, challenge: { status: 'pending' } })
  t.deepEqual(await store.stepUps.load(id), before)
  t.is(store.events.length, events)
})

test('a stranger who is refused is on record, without a question to the directory', async (t) => {
  const { stepUps, directory, store, id } = await directed()
  directory.locate = () => Promise.reject(new DirectoryUnavailable('away'))
  const event = { type: 'stranger-refused', challengeId: id, subjectUserId: 'mallory', at: NOON } as const

  await stepUps.recordStranger(event, PROVENANCE)

  t.like(store.events.at(-1), event)
})

test('a directory that cannot tell makes the load fail, and changes nothing', async (t) => {
  const { stepUps, directory, store, id } = await directed()
  directory.locate = () => Promise.reject(new DirectoryUnavailable('away'))

  await t.throwsAsync(stepUps.load(id), { instanceOf: DirectoryUnavailable })
  t.is((await store.stepUps.load(id))?.challenge.status, 'pending')
})
