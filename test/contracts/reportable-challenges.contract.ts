import { randomUUID } from 'node:crypto'
import test from 'ava'
import { Challenge } from '../../src/domain/challenge.ts'
import { afterNoon, NOON, POLICY } from '../domain/examples.ts'
import {
  type CreateStores,
  consumed,
  issued,
  opened,
  PROVENANCE,
  type ReportStores,
  verified,
} from './stores.ts'

/** What those rely on who act on reports, whoever keeps the challenges. Called once per adapter. */
export function reportableChallengesContract(adapter: string, create: CreateStores<ReportStores>): void {
  test(`${adapter}: each code leads to its challenge, whatever became of that, and an unknown one to none`, async (t) => {
    const stores = await create()
    const { id } = await opened(stores)
    const first = await issued(stores, id)
    const second = await issued(stores, id, afterNoon(60))
    await verified(stores, id, afterNoon(61))
    await consumed(stores, id, afterNoon(62))

    t.is(await stores.reportableChallenges.challengeOf(first.id), id)
    t.is(await stores.reportableChallenges.challengeOf(second.id), id)
    t.is(await stores.reportableChallenges.challengeOf(randomUUID()), undefined)
    t.is(await stores.reportableChallenges.challengeOf(id), undefined)
  })

  test(`${adapter}: live challenges are those of the subject that are pending or verified and not over`, async (t) => {
    const stores = await create()
    const subject = randomUUID()
    const [pending, approved, used, ended] = await Promise.all(
      Array.from({ length: 4 }, () => opened(stores, subject).then(({ id }) => id)),
    )
    await opened(stores)
    for (const id of [approved!, used!]) {
      await issued(stores, id)
      await verified(stores, id)
    }
    await consumed(stores, used!)
    const { challenge, standing } = (await stores.stepUps.load(ended!))!
    const [cancelled, event] = Challenge.cancel(challenge, 'reported', afterNoon(1))
    t.true(await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE))
    const liveAt = (seconds: number, atMost = 100) =>
      stores.reportableChallenges.liveOf(subject, afterNoon(seconds), atMost)
    const end = POLICY.challengeLifetimeInSeconds

    t.deepEqual((await liveAt(5)).toSorted(), [pending!, approved!].toSorted())
    t.is((await liveAt(5, 1)).length, 1)
    t.is((await liveAt(end - 1)).length, 2)
    t.deepEqual(await liveAt(end), [])
    t.deepEqual(await stores.reportableChallenges.liveOf(randomUUID(), NOON, 100), [])
  })

  test(`${adapter}: the challenges that end last come first`, async (t) => {
    const stores = await create()
    const subject = randomUUID()
    const lasting = (seconds: number) =>
      opened(stores, subject, { ...POLICY, challengeLifetimeInSeconds: seconds }).then(({ id }) => id)
    const [short, long, middle] = [await lasting(300), await lasting(900), await lasting(600)]

    t.deepEqual(await stores.reportableChallenges.liveOf(subject, NOON, 2), [long, middle])
    t.deepEqual(await stores.reportableChallenges.liveOf(subject, NOON, 9), [long, middle, short])
  })
}
