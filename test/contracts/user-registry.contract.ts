import { randomUUID } from 'node:crypto'
import test from 'ava'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY } from '../domain/examples.ts'
import { type CreateStores, FAULTY, issued, opened, overheard, PROVENANCE, type Stores } from './stores.ts'

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')

/** What the use cases rely on, whoever keeps the users. Called once per adapter. */
export function userRegistryContract(adapter: string, create: CreateStores): void {
  const statusOf = async ({ stepUps }: Stores, challengeId: string) =>
    (await stepUps.load(challengeId))?.challenge.status

  test.serial(`${adapter}: an entry is created once and updated from then on`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    const user = { userId, email: ALICE, locale: 'de', displayName: 'Alice' }
    const renamed = { ...user, locale: undefined, displayName: 'A. Smith' }

    t.is(await stores.registry.put(user, NOON, PROVENANCE), 'created')
    t.is(await stores.registry.put(renamed, NOON, PROVENANCE), 'updated')
    t.deepEqual((await stores.stepUps.load(id))?.user, renamed)
  })

  test.serial(
    `${adapter}: a changed e-mail address cancels the user's live challenges, verified ones too`,
    async (t) => {
      const stores = await create()
      const pending = await opened(stores)
      const userId = pending.subjectUserId
      const verified = await opened(stores, userId)
      const others = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      await issued(stores, verified.id)
      const stepUp = (await stores.stepUps.load(verified.id))!
      await stores.stepUps.save(
        StepUp.verifyOtp(stepUp, () => true, noticeDemand(), POLICY, NOON)[0],
        PROVENANCE,
      )

      await stores.registry.put({ userId, email: ELSEWHERE }, afterNoon(10), PROVENANCE)

      t.is(await statusOf(stores, pending.id), 'cancelled')
      t.is(await statusOf(stores, verified.id), 'cancelled')
      t.is(await statusOf(stores, others.id), 'pending')
    },
  )

  test.serial(
    `${adapter}: a changed e-mail address cancels a hundred challenges, each with its event`,
    async (t) => {
      const stores = await create()
      const userId = randomUUID()
      const challenges: { readonly id: string }[] = []
      for (let n = 0; n < 100; n++) challenges.push(await opened(stores, userId))
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)

      await stores.registry.put({ userId, email: ELSEWHERE }, afterNoon(10), PROVENANCE)

      const ends = await Promise.all(challenges.map(({ id }) => stores.trail.eventsOf(id)))
      t.true(ends.every((events) => events.at(-1)?.type === 'challenge-cancelled'))
      t.is(await statusOf(stores, challenges[99]!.id), 'cancelled')
    },
  )

  test.serial(`${adapter}: a changed name or language leaves challenges alone`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)

    await stores.registry.put({ userId, email: ALICE, locale: 'fr', displayName: 'A.' }, NOON, PROVENANCE)

    t.is(await statusOf(stores, id), 'pending')
  })

  test.serial(`${adapter}: a challenge that is over stays as it ended`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)

    await stores.registry.put({ userId, email: ELSEWHERE }, afterNoon(900), PROVENANCE)

    t.is(await statusOf(stores, id), 'pending')
  })

  test.serial(`${adapter}: an issuance decided on the old entry can no longer be saved`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
    const stepUp = (await stores.stepUps.load(id))!
    const decision = StepUp.issueOtp(
      stepUp,
      { id: randomUUID(), keyId: 'k1', recipient: ALICE },
      POLICY,
      NOON,
    )

    await stores.registry.put({ userId, email: ELSEWHERE }, NOON, PROVENANCE)

    t.false(await stores.stepUps.save(decision, PROVENANCE))
  })

  test.serial(
    `${adapter}: an entry remembers when its address replaced another one or an erased one, and not when it was put again`,
    async (t) => {
      const { registry } = await create()
      const userId = randomUUID()
      const since = async () => (await registry.find(userId))?.emailChangedAt

      await registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      t.is(await since(), undefined)
      await registry.put({ userId, email: ELSEWHERE }, afterNoon(60), PROVENANCE)
      t.deepEqual(await since(), afterNoon(60))
      await registry.put({ userId, email: ELSEWHERE, locale: 'fr' }, afterNoon(120), PROVENANCE)
      t.deepEqual(await since(), afterNoon(60))
      await registry.putAll([{ userId, email: ALICE }], afterNoon(180), PROVENANCE)
      t.deepEqual(await since(), afterNoon(180))
      await registry.erase(userId, afterNoon(240), PROVENANCE)
      await registry.put({ userId, email: ALICE }, afterNoon(300), PROVENANCE)
      t.deepEqual(await since(), afterNoon(300))
      await registry.put({ userId, email: ALICE }, afterNoon(360), PROVENANCE)
      t.deepEqual(await since(), afterNoon(300))
      await registry.erase(userId, afterNoon(420), PROVENANCE)
      await registry.putAll([{ userId, email: ALICE }], afterNoon(480), PROVENANCE)
      t.deepEqual(await since(), afterNoon(480))
    },
  )

  test.serial(`${adapter}: parallel puts of one new user create one entry`, async (t) => {
    const stores = await create()
    const userId = randomUUID()

    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)),
    )

    t.deepEqual(outcomes.filter((outcome) => outcome === 'created').length, 1)
  })

  test.serial(`${adapter}: an entry is found as it was put, and others are not`, async (t) => {
    const { registry } = await create()
    const user = { userId: randomUUID(), email: ALICE, locale: 'de', displayName: 'Alice' }
    await registry.put(user, NOON, PROVENANCE)

    t.deepEqual(await registry.find(user.userId), user)
    t.is(await registry.find(randomUUID()), undefined)
  })

  test.serial(`${adapter}: an erased user leaves no entry, no address and no live challenge`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
    await issued(stores, id)

    await stores.registry.erase(userId, afterNoon(1), PROVENANCE)

    t.is(await stores.registry.find(userId), undefined)
    const stepUp = await stores.stepUps.load(id)
    t.is(stepUp?.challenge.status, 'cancelled')
    t.not(stepUp?.issuance?.recipient, ALICE)
    t.is(stepUp?.user, undefined)
    t.false(JSON.stringify(await stores.trail.eventsOf(id)).includes(ALICE))
  })

  test.serial(
    `${adapter}: to erase whom nobody knows is without effect, and leaves no trace of the id`,
    async (t) => {
      const { stores, types } = await overheard(create)
      const userId = randomUUID()

      await stores.registry.erase(userId, afterNoon(1), PROVENANCE)

      t.deepEqual(types(), [])
      const { id } = await opened(stores, userId)
      t.is((await stores.stepUps.load(id))?.standing.version, 0)
    },
  )

  test.serial(
    `${adapter}: a user whose entry is elsewhere is erased too: no address, no live challenge`,
    async (t) => {
      const { stores, types } = await overheard(create)
      const { id, subjectUserId: userId } = await opened(stores)
      await issued(stores, id)

      await stores.registry.erase(userId, afterNoon(1), PROVENANCE)

      const stepUp = await stores.stepUps.load(id)
      t.is(stepUp?.challenge.status, 'cancelled')
      t.not(stepUp?.issuance?.recipient, ALICE)
      t.deepEqual(types().at(-1), ['challenge-cancelled', 'user-erased'])
    },
  )

  test.serial(
    `${adapter}: an erasure that is repeated finds nothing, and is not on record again`,
    async (t) => {
      const { stores, types } = await overheard(create)
      const { id, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      await issued(stores, id)

      await stores.registry.erase(userId, afterNoon(1), PROVENANCE)
      await stores.registry.erase(userId, afterNoon(2), PROVENANCE)

      const erasures = types()
        .flat()
        .filter((type) => type === 'user-erased')
      t.is(erasures.length, 1)
    },
  )

  test.serial(
    `${adapter}: an issuance decided before the user was erased can no longer be saved`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      const stepUp = (await stores.stepUps.load(id))!
      const decision = StepUp.issueOtp(
        stepUp,
        { id: randomUUID(), keyId: 'k1', recipient: ALICE },
        POLICY,
        NOON,
      )

      await stores.registry.erase(userId, NOON, PROVENANCE)

      t.false(await stores.stepUps.save(decision, PROVENANCE))
    },
  )

  test.serial(`${adapter}: several entries are stored together, as each would be alone`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
    const other = { userId: randomUUID(), email: ALICE, locale: undefined, displayName: undefined }

    const counts = await stores.registry.putAll(
      [other, { userId, email: ELSEWHERE }],
      afterNoon(1),
      PROVENANCE,
    )

    t.deepEqual(counts, { created: 1, updated: 1 })
    t.deepEqual(await stores.registry.find(other.userId), other)
    t.is(await statusOf(stores, id), 'cancelled')
  })

  test.serial(
    `${adapter}: a change of an entry is heard of once, after it was stored, with all that it ends`,
    async (t) => {
      const { stores, commits, types, storedBefore } = await overheard(create)
      const { id: moved, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      await stores.registry.put({ userId, email: ELSEWHERE }, NOON, PROVENANCE)
      const { id: ended } = await opened(stores, userId)
      await stores.registry.erase(userId, afterNoon(1), PROVENANCE)

      t.deepEqual(types(), [
        ['challenge-opened'],
        ['user-put'],
        ['challenge-cancelled', 'user-put'],
        ['challenge-opened'],
        ['challenge-cancelled', 'user-erased'],
      ])
      t.like(commits[2]?.events[0], { challengeId: moved, reason: 'email-address-changed' })
      t.like(commits[4]?.events, [
        { challengeId: ended, reason: 'user-erased', at: afterNoon(1) },
        { subjectUserId: userId, at: afterNoon(1) },
      ])
      t.is(commits[4]?.provenance, PROVENANCE)
      t.true(await storedBefore())
    },
  )

  test.serial(`${adapter}: entries that are stored together are heard of together`, async (t) => {
    const { stores, types } = await overheard(create)
    const users = Array.from({ length: 3 }, () => ({ userId: randomUUID(), email: ALICE }))

    await stores.registry.putAll(users, NOON, PROVENANCE)
    await stores.registry.putAll([], NOON, PROVENANCE)

    t.deepEqual(types(), [['user-put', 'user-put', 'user-put']])
  })

  test.serial(
    `${adapter}: of erasures of one user, all at once, the listener hears of the one that found the user`,
    async (t) => {
      const { stores, types } = await overheard(create)
      const userId = randomUUID()
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)

      await Promise.all(
        Array.from({ length: 5 }, () => stores.registry.erase(userId, afterNoon(1), PROVENANCE)),
      )
      await stores.registry.erase(randomUUID(), afterNoon(1), PROVENANCE)

      t.deepEqual(types(), [['user-put'], ['user-erased']])
    },
  )

  test.serial(`${adapter}: a listener that throws leaves an entry stored`, async (t) => {
    const { registry } = await create(FAULTY)
    const user = { userId: randomUUID(), email: ALICE, locale: 'de', displayName: 'Alice' }

    t.is(await registry.put(user, NOON, PROVENANCE), 'created')
    t.deepEqual(await registry.find(user.userId), user)
  })
}
