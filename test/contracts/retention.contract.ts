import { randomUUID } from 'node:crypto'
import test from 'ava'
import { v7 } from 'uuid'
import type { Purged, Retention } from '../../src/application/ports/retention.ts'
import { idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import { issued, type LockNoticeStores, locked, PROVENANCE, type Stores } from './stores.ts'

type RetainingStores = LockNoticeStores & { readonly retention: Retention }

const LIFETIME_IN_SECONDS = POLICY.challengeLifetimeInSeconds
/** A challenge that is opened at noon is over by then, and no later one is. */
const AFTER_ITS_END = afterNoon(LIFETIME_IN_SECONDS + 0.001)

/** Opens a challenge under an id of its time, which is what retention goes by. */
async function openedAt(
  { stepUps }: Stores,
  at: Date,
  { lifetimeInSeconds = LIFETIME_IN_SECONDS, subjectUserId = randomUUID() as string } = {},
) {
  const [challenge, event] = Challenge.open(
    {
      id: idInBucketOf(subjectUserId, v7({ msecs: at.getTime() })),
      clientId: randomUUID(),
      subjectUserId,
      operation: TRANSFER,
    },
    { ...POLICY, challengeLifetimeInSeconds: lifetimeInSeconds },
    at,
  )
  await stepUps.open(challenge, event, { key: 'key', fingerprint: 'f' }, PROVENANCE)
  return challenge
}

/** Purges to the end and gives what each batch did. */
async function purge(
  { retention }: RetainingStores,
  expiredBefore = AFTER_ITS_END,
  limit = 100,
): Promise<readonly Purged[]> {
  return Array.fromAsync(retention.purge(expiredBefore, limit))
}

const sum = (batches: readonly Purged[]) =>
  batches.reduce(
    (total, { challenges, events }) => ({
      challenges: total.challenges + challenges,
      events: total.events + events,
    }),
    { challenges: 0, events: 0 },
  )

/**
 * What an operator relies on, whoever keeps the challenges. Called once per adapter, each time on an empty store. One case
 * after the other, since each of these stores may be a whole database.
 */
export function retentionContract(adapter: string, create: () => Promise<RetainingStores>): void {
  const remaining = async ({ stepUps }: Stores, ids: readonly string[]) => {
    const loaded = await Promise.all(ids.map((id) => stepUps.load(id)))
    return ids.filter((_, n) => loaded[n] !== undefined)
  }

  test.serial(`${adapter}: there is nothing to purge in an empty store`, async (t) => {
    const stores = await create()

    t.deepEqual(sum(await purge(stores)), { challenges: 0, events: 0 })
  })

  test.serial(`${adapter}: an expired challenge goes with its issuances, and its events stay`, async (t) => {
    const stores = await create()
    const { id } = await openedAt(stores, NOON)
    await issued(stores, id)
    await issued(stores, id, afterNoon(60))

    const events = await stores.trail.eventsOf(id)
    t.is(events.length, 3)

    t.deepEqual(sum(await purge(stores)), { challenges: 1, events: 0 })

    t.is(await stores.stepUps.load(id), undefined)
    t.deepEqual(await stores.trail.eventsOf(id), events)
    t.deepEqual(await stores.outbox.claim(10, afterNoon(120), afterNoon(150)), [])
  })

  test.serial(`${adapter}: a lock notice goes with its challenge, and not before`, async (t) => {
    const stores = await create()
    const early = await openedAt(stores, afterNoon(-1))
    const late = await openedAt(stores, afterNoon(1))
    await locked(stores, early.id)
    const kept = await locked(stores, late.id, afterNoon(2))

    t.deepEqual(sum(await purge(stores)), { challenges: 1, events: 0 })

    const claimed = await stores.lockNotices.claim(10, afterNoon(10), afterNoon(40))
    t.deepEqual(
      claimed.map(({ notice }) => notice.id),
      [kept.id],
    )
  })

  test.serial(
    `${adapter}: a challenge that expires at the cutoff stays, one that expires a millisecond earlier goes`,
    async (t) => {
      const stores = await create()
      const earlier = await openedAt(stores, afterNoon(-0.001))
      const exact = await openedAt(stores, NOON)

      await purge(stores, exact.expiresAt)

      t.deepEqual(await remaining(stores, [earlier.id, exact.id]), [exact.id])
    },
  )

  test.serial(`${adapter}: a challenge that stays keeps its issuance and its trail`, async (t) => {
    const stores = await create()
    const { id } = await openedAt(stores, afterNoon(1))
    await issued(stores, id, afterNoon(2))
    const before = [await stores.stepUps.load(id), await stores.trail.eventsOf(id)]

    await purge(stores)

    t.deepEqual([await stores.stepUps.load(id), await stores.trail.eventsOf(id)], before)
  })

  test.serial(
    `${adapter}: challenges that live longer stay, and hold up none that are behind them`,
    async (t) => {
      const stores = await create()
      const lasting: string[] = []
      const short: string[] = []
      for (let n = 0; n < 5; n++) {
        lasting.push((await openedAt(stores, afterNoon(-n), { lifetimeInSeconds: 86_400 })).id)
        short.push((await openedAt(stores, afterNoon(-n))).id)
      }

      t.is(sum(await purge(stores, AFTER_ITS_END, 2)).challenges, 5)

      t.deepEqual(await remaining(stores, [...lasting, ...short]), lasting)
      const dayLater = secondsAfter(AFTER_ITS_END, 86_400)
      t.is(sum(await purge(stores, dayLater, 2)).challenges, 5)
    },
  )

  test.serial(
    `${adapter}: a batch holds no more than asked for, and whoever stops reading stops the purge`,
    async (t) => {
      const stores = await create()
      const ids: string[] = []
      for (let n = 0; n < 7; n++) ids.push((await openedAt(stores, afterNoon(-n))).id)

      for await (const batch of stores.retention.purge(AFTER_ITS_END, 3)) {
        t.deepEqual(batch, { challenges: 3, events: 0 })
        break
      }
      t.is((await remaining(stores, ids)).length, 4)

      const batches = await purge(stores, AFTER_ITS_END, 3)
      t.true(batches.every(({ challenges }) => challenges <= 3))
      t.deepEqual(await remaining(stores, ids), [])
    },
  )

  test.serial(`${adapter}: what was stored just now stays on the trail, whatever date it has`, async (t) => {
    const stores = await create()
    const { id } = await openedAt(stores, new Date('2001-01-01'))
    await stores.registry.put({ userId: 'bob', email: ALICE }, NOON, PROVENANCE)

    t.is(sum(await Array.fromAsync(stores.retention.purgeTrail(1, 100))).events, 0)

    t.is((await stores.trail.eventsOf(id)).length, 1)
    t.is(await stores.retention.trailOverdueInSeconds(1), 0)
  })

  test.serial(
    `${adapter}: what is held against a subject outlives the challenges that it came from`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId } = await openedAt(stores, NOON)
      await issued(stores, id)
      const stepUp = (await stores.stepUps.load(id))!
      const [decision] = StepUp.verifyOtp(stepUp, () => false, noticeDemand(), POLICY, afterNoon(1))
      await stores.stepUps.save(decision, PROVENANCE)
      const { standing } = (await stores.stepUps.load(id))!

      await purge(stores)

      const next = await openedAt(stores, AFTER_ITS_END, { subjectUserId })
      t.is(standing.consecutiveFailures, 1)
      t.deepEqual((await stores.stepUps.load(next.id))?.standing, standing)
    },
  )

  test.serial(`${adapter}: an idempotency key is free again when its challenge is gone`, async (t) => {
    const stores = await create()
    const idempotency = { key: 'key', fingerprint: 'f' }
    const [first, event] = Challenge.open(
      {
        id: v7({ msecs: NOON.getTime() }),
        clientId: 'payments',
        subjectUserId: 'alice',
        operation: TRANSFER,
      },
      POLICY,
      NOON,
    )
    await stores.stepUps.open(first, event, idempotency, PROVENANCE)
    await purge(stores)

    const again = { ...first, id: v7() }
    t.true(
      (await stores.stepUps.open(again, { ...event, challengeId: again.id }, idempotency, PROVENANCE))
        .created,
    )
  })

  test.serial(`${adapter}: parallel purges delete each challenge once and leave none`, async (t) => {
    const stores = await create()
    const ids: string[] = []
    for (let n = 0; n < 40; n++) ids.push((await openedAt(stores, afterNoon(-n))).id)
    const young = await openedAt(stores, afterNoon(1))

    const purges = await Promise.all(Array.from({ length: 5 }, () => purge(stores, AFTER_ITS_END, 3)))

    t.deepEqual(sum(purges.flat()), { challenges: 40, events: 0 })
    t.deepEqual(await remaining(stores, [...ids, young.id]), [young.id])
  })

  test.serial(
    `${adapter}: a decision about a challenge that is being purged is stored before or not at all`,
    async (t) => {
      const stores = await create()
      const decisions = []
      for (let n = 0; n < 20; n++) {
        const { id } = await openedAt(stores, NOON)
        await issued(stores, id)
        const [decision] = StepUp.verifyOtp(
          (await stores.stepUps.load(id))!,
          () => false,
          noticeDemand(),
          POLICY,
          afterNoon(1),
        )
        decisions.push(decision)
      }

      const purging = purge(stores, AFTER_ITS_END, 2)
      const saves = await Promise.all(decisions.map((decision) => stores.stepUps.save(decision, PROVENANCE)))
      const purged = sum(await purging)

      const rejections = saves.filter(Boolean).length
      t.deepEqual(purged, { challenges: 20, events: 0 })
      const trails = await Promise.all(decisions.map(({ challenge }) => stores.trail.eventsOf(challenge.id)))
      t.is(trails.flat().length, 40 + rejections)
      for (const { challenge } of decisions) t.is(await stores.stepUps.load(challenge.id), undefined)
    },
  )

  test.serial(`${adapter}: the oldest expiry is that of the challenge that was opened first`, async (t) => {
    const stores = await create()
    t.is(await stores.retention.oldestExpiry(), undefined)
    await openedAt(stores, afterNoon(5))
    const oldest = await openedAt(stores, NOON)
    await openedAt(stores, afterNoon(10))

    t.deepEqual(await stores.retention.oldestExpiry(), oldest.expiresAt)

    await purge(stores, afterNoon(LIFETIME_IN_SECONDS + 20))
    t.is(await stores.retention.oldestExpiry(), undefined)
  })

  test.serial(`${adapter}: a purge beside it leaves a live challenge its attempts and its end`, async (t) => {
    const stores = await create()
    for (let n = 0; n < 20; n++) await openedAt(stores, NOON)
    const live = await openedAt(stores, afterNoon(60))
    await issued(stores, live.id, afterNoon(61))

    const purging = purge(stores, AFTER_ITS_END, 1)
    for (let attempt = 1; attempt <= 3; attempt++) {
      const stepUp = (await stores.stepUps.load(live.id))!
      const [decision] = StepUp.verifyOtp(
        stepUp,
        () => attempt === 3,
        noticeDemand(),
        POLICY,
        afterNoon(61 + attempt),
      )
      t.true(await stores.stepUps.save(decision, PROVENANCE))
    }
    await purging

    t.like((await stores.stepUps.load(live.id))?.challenge, { status: 'verified', attemptsRemaining: 3 })
  })
}
