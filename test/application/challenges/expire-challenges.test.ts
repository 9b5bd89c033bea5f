import test from 'ava'
import { ExpireChallenges } from '../../../src/application/challenges/expire-challenges.ts'
import { PAYMENTS } from '../../contracts/service-events.contract.ts'
import { opened } from '../../contracts/stores.ts'
import { NOON, POLICY } from '../../domain/examples.ts'
import { inMemoryStores } from '../../doubles/in-memory/in-memory-stores.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const countExpired = ({ events }: ReturnType<typeof inMemoryStores>) =>
  events.filter(({ type }) => type === 'challenge-expired').length

async function registered() {
  const stores = inMemoryStores()
  await stores.endpoints.save(PAYMENTS, undefined)
  const clock = new SettableClock(NOON)
  return { stores, clock, expire: new ExpireChallenges(stores.expiries, clock) }
}

test('a challenge expires two seconds after its deadline, because clocks of processes differ', async (t) => {
  const { stores, clock, expire } = await registered()
  await opened(stores)

  clock.pass(POLICY.challengeLifetimeInSeconds + 2)
  await expire.execute()
  t.is(countExpired(stores), 0)

  clock.pass(0.001)
  await expire.execute()
  t.is(countExpired(stores), 1)
})

test('all challenges that are due expire in one run, however many', async (t) => {
  const { stores, clock, expire } = await registered()
  for (let n = 0; n < 250; n++) await opened(stores)
  clock.pass(POLICY.challengeLifetimeInSeconds + 3)

  await expire.execute()

  t.is(countExpired(stores), 250)
})

test('a run that is stopped begins no further batch', async (t) => {
  const { stores, clock, expire } = await registered()
  for (let n = 0; n < 250; n++) await opened(stores)
  clock.pass(POLICY.challengeLifetimeInSeconds + 3)

  await expire.execute(AbortSignal.abort())

  t.is(countExpired(stores), 0)
})
