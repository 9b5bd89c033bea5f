import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { SecurityNotices } from '../../src/application/ports/security-notices.ts'
import type { Standings } from '../../src/application/ports/standings.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, NOON } from '../domain/examples.ts'
import {
  type CreateStores,
  FAULTY,
  issued,
  locked,
  opened,
  overheard,
  PROVENANCE,
  type Stores,
  verified,
} from './stores.ts'

export interface StandingStores extends Stores {
  readonly standings: Standings
  readonly securityNotices: SecurityNotices
}

/** What the support relies on, whoever keeps the standings. Called once per adapter, with a storage of its own for each case. */
export function standingsContract(adapter: string, create: CreateStores<StandingStores>): void {
  async function lockedSubject(stores: StandingStores) {
    const { id, subjectUserId } = await opened(stores)
    await issued(stores, id)
    await locked(stores, id)
    return { id, subjectUserId, standing: (await stores.standings.find(subjectUserId))! }
  }
  const dueNotices = async ({ securityNotices }: StandingStores) =>
    (await securityNotices.claim(50, afterNoon(60), afterNoon(90))).map(({ notice }) => notice)

  test(`${adapter}: a subject about whom nothing was decided has no standing to show`, async (t) => {
    const { standings } = await create()

    t.is(await standings.find(randomUUID()), undefined)
  })

  test(`${adapter}: an unlocked subject is stored one version on, with its event and one notice`, async (t) => {
    const { stores, commits } = await overheard(create)
    const { id, subjectUserId, standing } = await lockedSubject(stores)
    const unlocking = SubjectStanding.unlock(standing, { email: ALICE }, afterNoon(1))!
    commits.length = 0

    t.true(await stores.standings.saveUnlocking(unlocking, PROVENANCE))

    const after = { ...unlocking.standing, version: standing.version + 1 }
    t.deepEqual(await stores.standings.find(subjectUserId), after)
    t.deepEqual((await stores.stepUps.load(id))?.standing, after)
    t.deepEqual(commits, [{ events: [unlocking.event], provenance: PROVENANCE }])
    const [notice, ...others] = await dueNotices(stores)
    t.like(notice, { kind: 'subject-unlocked', subjectUserId, recipient: ALICE, deliveryAttempts: 1 })
    t.deepEqual(notice?.happenedAt, afterNoon(1))
    t.deepEqual(others, [])
  })

  test(`${adapter}: without an address the lock ends too, and no notice is queued`, async (t) => {
    const stores = await create()
    const { subjectUserId, standing } = await lockedSubject(stores)

    const saved = await stores.standings.saveUnlocking(
      SubjectStanding.unlock(standing, undefined, afterNoon(1))!,
      PROVENANCE,
    )

    t.true(saved)
    t.is((await stores.standings.find(subjectUserId))?.lockedUntil, undefined)
    t.deepEqual(await dueNotices(stores), [])
  })

  test(`${adapter}: of ten unlockings of one version one is stored, with one event and one notice`, async (t) => {
    const { stores, commits } = await overheard(create)
    const { subjectUserId, standing } = await lockedSubject(stores)
    const unlocking = SubjectStanding.unlock(standing, { email: ALICE }, afterNoon(1))!
    commits.length = 0

    const saved = await Promise.all(
      Array.from({ length: 10 }, () => stores.standings.saveUnlocking(unlocking, PROVENANCE)),
    )

    t.is(saved.filter(Boolean).length, 1)
    t.is(commits.length, 1)
    t.is((await dueNotices(stores)).length, 1)
    t.is((await stores.standings.find(subjectUserId))?.version, standing.version + 1)
  })

  test(`${adapter}: an unlocking that another decision overtook stores nothing`, async (t) => {
    const stores = await create()
    const { subjectUserId, standing } = await lockedSubject(stores)
    await stores.registry.put({ userId: subjectUserId, email: ALICE }, NOON, PROVENANCE)
    const unlocking = SubjectStanding.unlock(standing, { email: ALICE }, afterNoon(1))!

    t.false(await stores.standings.saveUnlocking(unlocking, PROVENANCE))

    t.deepEqual((await stores.standings.find(subjectUserId))?.lockedUntil, standing.lockedUntil)
    t.deepEqual(await dueNotices(stores), [])
  })

  test(`${adapter}: a code counts again after an unlocking`, async (t) => {
    const stores = await create()
    const { subjectUserId, standing } = await lockedSubject(stores)
    await stores.standings.saveUnlocking(
      SubjectStanding.unlock(standing, { email: ALICE }, afterNoon(1))!,
      PROVENANCE,
    )
    const { id } = await opened(stores, subjectUserId)

    await issued(stores, id, afterNoon(2))
    await verified(stores, id, afterNoon(3))

    t.is((await stores.stepUps.load(id))?.challenge.status, 'verified')
  })

  test.serial(`${adapter}: a listener that throws leaves the lock ended`, async (t) => {
    const stores = await create(FAULTY)
    const { subjectUserId, standing } = await lockedSubject(stores)

    t.true(
      await stores.standings.saveUnlocking(
        SubjectStanding.unlock(standing, { email: ALICE }, afterNoon(1))!,
        PROVENANCE,
      ),
    )
    t.is((await stores.standings.find(subjectUserId))?.lockedUntil, undefined)
  })
}
