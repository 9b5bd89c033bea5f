import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { ChallengeEvent } from '../../src/domain/domain-event.ts'
import { LockNotice, type QueuedLockNotice } from '../../src/domain/lock-notice.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY } from '../domain/examples.ts'
import {
  type CreateStores,
  FAULTY,
  type LockNoticeStores,
  locked,
  lockingDecision,
  opened,
  overheard,
  PROVENANCE,
} from './stores.ts'

/**
 * What those who warn of locks rely on, whoever keeps the notices. Called once per adapter, each time on an empty store. One
 * case after the other, since each of these stores may be a whole database.
 */
export function lockNoticesContract(adapter: string, create: CreateStores<LockNoticeStores>): void {
  test.serial(`${adapter}: without a lock there is no notice to claim`, async (t) => {
    const stores = await create()
    const { id } = await opened(stores)
    const stepUp = (await stores.stepUps.load(id))!
    const [decision] = StepUp.verifyOtp(stepUp, () => false, noticeDemand(randomUUID()), POLICY, NOON)
    await stores.stepUps.save(decision, PROVENANCE)

    t.deepEqual(await stores.lockNotices.claim(10, NOON, afterNoon(30)), [])
  })

  test.serial(
    `${adapter}: a notice is claimed as it was decided, with its client and user, counting the attempt`,
    async (t) => {
      const stores = await create()
      const { id, clientId, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE, locale: 'de' }, NOON, PROVENANCE)
      const queued = await locked(stores, id)

      const [delivery, ...more] = await stores.lockNotices.claim(10, NOON, afterNoon(30))

      t.deepEqual(delivery?.notice, { ...queued, deliveryAttempts: 1, nextAttemptAt: afterNoon(30) })
      t.is(delivery?.clientId, clientId)
      t.like(delivery?.user, { userId, locale: 'de' })
      t.deepEqual(more, [])
    },
  )

  test.serial(`${adapter}: the decision of a lock is stored like any other, with its events`, async (t) => {
    const stores = await create()
    const { id } = await opened(stores)
    const decision = await lockingDecision(stores, id)

    t.true(await stores.stepUps.save(decision, PROVENANCE))

    const stepUp = await stores.stepUps.load(id)
    t.deepEqual(stepUp?.challenge, decision.challenge)
    t.deepEqual(stepUp?.standing, { ...decision.standing, version: decision.standing.version + 1 })
    t.like((await stores.trail.eventsOf(id)).slice(1), [
      { type: 'otp-rejected', ...PROVENANCE },
      { type: 'subject-locked', until: decision.lockNotice.lockedUntil, ...PROVENANCE },
    ])
  })

  test.serial(`${adapter}: a lock that was decided on an old version has no notice`, async (t) => {
    const stores = await create()
    const { id } = await opened(stores)
    const old = await lockingDecision(stores, id)
    const winner = await locked(stores, id)

    t.false(await stores.stepUps.save(old, PROVENANCE))

    const claimed = await stores.lockNotices.claim(10, NOON, afterNoon(30))
    t.deepEqual(
      claimed.map(({ notice }) => notice.id),
      [winner.id],
    )
  })

  test.serial(
    `${adapter}: of thirty locks decided on one version, over several challenges, one has a notice`,
    async (t) => {
      const stores = await create()
      const first = await opened(stores)
      const ids = [first.id]
      for (let n = 1; n < 5; n++) ids.push((await opened(stores, first.subjectUserId)).id)
      const decisions = []
      for (let n = 0; n < 30; n++) decisions.push(await lockingDecision(stores, ids[n % ids.length]!))

      const saved = await Promise.all(decisions.map((each) => stores.stepUps.save(each, PROVENANCE)))

      t.is(saved.filter(Boolean).length, 1)
      const claimed = await stores.lockNotices.claim(10, NOON, afterNoon(30))
      t.deepEqual(
        claimed.map(({ notice }) => notice.id),
        [decisions[saved.indexOf(true)]!.lockNotice.id],
      )
    },
  )

  test.serial(`${adapter}: a claimed notice is nobody else's until its lease ends`, async (t) => {
    const stores = await create()
    await locked(stores, (await opened(stores)).id)
    await stores.lockNotices.claim(10, NOON, afterNoon(30))

    t.is((await stores.lockNotices.claim(10, afterNoon(29.999), afterNoon(60))).length, 0)
    t.is((await stores.lockNotices.claim(10, afterNoon(30), afterNoon(60))).length, 1)
  })

  test.serial(`${adapter}: no more notices are claimed than asked for, longest due first`, async (t) => {
    const stores = await create()
    const late = await locked(stores, (await opened(stores)).id, afterNoon(2))
    const early = await locked(stores, (await opened(stores)).id, afterNoon(1))

    t.deepEqual(await stores.lockNotices.claim(10, afterNoon(0.999), afterNoon(30)), [])
    const first = await stores.lockNotices.claim(1, afterNoon(3), afterNoon(30))
    const second = await stores.lockNotices.claim(1, afterNoon(3), afterNoon(30))

    t.deepEqual(
      [...first, ...second].map(({ notice }) => notice.id),
      [early.id, late.id],
    )
  })

  test.serial(
    `${adapter}: a notice that was recorded is due no more unless deferred, and its events are in the trail`,
    async (t) => {
      const sent = 'lock-notice-sent'
      const outcomes: [(claimed: QueuedLockNotice) => [LockNotice, ChallengeEvent[]], number, string][] = [
        [(claimed) => LockNotice.markSent(claimed, 'm-1', afterNoon(1)), 0, sent],
        [(claimed) => LockNotice.markSent(claimed, undefined, afterNoon(1)), 0, sent],
        [(claimed) => LockNotice.fail(claimed, 'refused', afterNoon(1)), 0, 'lock-notice-failed'],
        [(claimed) => LockNotice.defer(claimed, afterNoon(1)), 1, 'subject-locked'],
      ]

      for (const [settle, dueAgain, event] of outcomes) {
        const stores = await create()
        const { id } = await opened(stores)
        await locked(stores, id)
        const [delivery] = await stores.lockNotices.claim(10, NOON, afterNoon(30))

        t.true(await stores.lockNotices.record(delivery!.notice, ...settle(delivery!.notice)))

        t.deepEqual(await stores.lockNotices.claim(10, afterNoon(1.999), afterNoon(60)), [])
        const due = await stores.lockNotices.claim(10, afterNoon(2), afterNoon(60))
        t.is(due.length, dueAgain)
        t.like((await stores.trail.eventsOf(id)).at(-1), { type: event })
      }
    },
  )

  test.serial(
    `${adapter}: what is recorded of a notice after its lease was taken over has no effect`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await locked(stores, id)
      const [stale] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
      const [current] = await stores.lockNotices.claim(10, afterNoon(30), afterNoon(60))

      const recorded = await stores.lockNotices.record(
        stale!.notice,
        ...LockNotice.fail(stale!.notice, 'refused', afterNoon(31)),
      )

      t.false(recorded)
      t.like((await stores.trail.eventsOf(id)).at(-1), { type: 'subject-locked' })
      const [again] = await stores.lockNotices.claim(10, afterNoon(60), afterNoon(90))
      t.deepEqual(again?.notice, { ...current!.notice, deliveryAttempts: 3, nextAttemptAt: afterNoon(90) })
    },
  )

  test.serial(`${adapter}: what became of a notice is recorded once`, async (t) => {
    const stores = await create()
    const { id } = await opened(stores)
    await locked(stores, id)
    const [delivery] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
    const { notice } = delivery!

    const recorded = await Promise.all(
      Array.from({ length: 5 }, () =>
        stores.lockNotices.record(notice, ...LockNotice.markSent(notice, 'm-1', afterNoon(1))),
      ),
    )

    t.is(recorded.filter(Boolean).length, 1)
    const events = await stores.trail.eventsOf(id)
    t.is(events.filter(({ type }) => type === 'lock-notice-sent').length, 1)
  })

  test.serial(
    `${adapter}: parallel claims share out the notices that are due without overlap, time after time`,
    async (t) => {
      const stores = await create()
      const ids: string[] = []
      for (let n = 0; n < 20; n++) ids.push((await locked(stores, (await opened(stores)).id)).id)

      for (let round = 0; round < 20; round++) {
        const [now, leaseEnd] = [afterNoon(30 * round), afterNoon(30 * (round + 1))]
        const claims = await Promise.all(
          Array.from({ length: 10 }, () => stores.lockNotices.claim(5, now, leaseEnd)),
        )
        const rest = await stores.lockNotices.claim(20, now, leaseEnd)

        const claimed = [...claims.flat(), ...rest].map(({ notice }) => notice.id)
        t.deepEqual(claimed.toSorted(), ids.toSorted())
      }
    },
  )

  test.serial(
    `${adapter}: the notices of an erased user are withdrawn, those of others are not`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
      await locked(stores, id)
      const others = await locked(stores, (await opened(stores)).id)

      await stores.registry.erase(userId, afterNoon(1), PROVENANCE)

      const claimed = await stores.lockNotices.claim(10, afterNoon(1), afterNoon(30))
      t.deepEqual(
        claimed.map(({ notice }) => notice.id),
        [others.id],
      )
      const failed = (await stores.trail.eventsOf(id)).find(({ type }) => type === 'lock-notice-failed')
      t.like(failed, { reason: 'user-erased', at: afterNoon(1), ...PROVENANCE })
    },
  )

  test.serial(`${adapter}: a hand-over that ends after its user was erased is not recorded`, async (t) => {
    const stores = await create()
    const { id, subjectUserId: userId } = await opened(stores)
    await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)
    await locked(stores, id)
    const [delivery] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
    const { notice } = delivery!

    const [, recorded] = await Promise.all([
      stores.registry.erase(userId, afterNoon(1), PROVENANCE),
      stores.lockNotices.record(notice, ...LockNotice.markSent(notice, 'm-1', afterNoon(1))),
    ])

    const events = await stores.trail.eventsOf(id)
    t.is(events.filter(({ type }) => type.startsWith('lock-notice-')).length, 1)
    t.is(
      events.some(({ type }) => type === 'lock-notice-sent'),
      recorded,
    )
    t.deepEqual(await stores.lockNotices.claim(10, afterNoon(60), afterNoon(90)), [])
  })

  test.serial(
    `${adapter}: of what becomes of a notice, at once and after a lost lease, the listener hears what is stored, once`,
    async (t) => {
      const { stores, commits, storedBefore } = await overheard(create)
      const { id } = await opened(stores)
      await locked(stores, id)
      const [lost] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
      const [held] = await stores.lockNotices.claim(10, afterNoon(30), afterNoon(60))
      commits.length = 0
      const sent = (delivery = held!) => LockNotice.markSent(delivery.notice, 'm-1', afterNoon(31))

      await stores.lockNotices.record(lost!.notice, ...sent(lost))
      t.deepEqual(commits, [])
      await Promise.all(Array.from({ length: 5 }, () => stores.lockNotices.record(held!.notice, ...sent())))

      const [, events] = sent()
      t.deepEqual(commits, [{ events, provenance: { actor: 'service' } }])
      t.true(await storedBefore())
    },
  )

  test.serial(`${adapter}: of a notice that is put off nothing is heard, for it has no event`, async (t) => {
    const { stores, commits } = await overheard(create)
    await locked(stores, (await opened(stores)).id)
    const [delivery] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
    const { notice } = delivery!
    commits.length = 0

    t.true(await stores.lockNotices.record(notice, ...LockNotice.defer(notice, afterNoon(1))))

    t.deepEqual(commits, [])
  })

  test.serial(`${adapter}: a listener that throws leaves recorded what became of a notice`, async (t) => {
    const stores = await create(FAULTY)
    await locked(stores, (await opened(stores)).id)
    const [delivery] = await stores.lockNotices.claim(10, NOON, afterNoon(30))
    const { notice } = delivery!

    t.true(await stores.lockNotices.record(notice, ...LockNotice.markSent(notice, 'm-1', afterNoon(1))))
  })
}
