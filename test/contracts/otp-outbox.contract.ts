import test from 'ava'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { ALICE, afterNoon, NOON } from '../domain/examples.ts'
import {
  type CreateStores,
  FAULTY,
  type ForgeableStores,
  issued,
  opened,
  overheard,
  PROVENANCE,
} from './stores.ts'

/** What the deliverer relies on, whoever keeps the outbox. Called once per adapter, each time on an empty store. */
export function otpOutboxContract(adapter: string, create: CreateStores<ForgeableStores>): void {
  test.serial(`${adapter}: an empty outbox has nothing to claim`, async (t) => {
    const { outbox } = await create()

    t.deepEqual(await outbox.claim(10, NOON, afterNoon(30)), [])
  })

  test.serial(
    `${adapter}: a queued issuance is claimed with its challenge and its user, counting the attempt`,
    async (t) => {
      const stores = await create()
      const { id, subjectUserId: userId } = await opened(stores)
      await stores.registry.put({ userId, email: ALICE, locale: 'de' }, NOON, PROVENANCE)
      const queued = await issued(stores, id)

      const [delivery] = await stores.outbox.claim(10, NOON, afterNoon(30))

      t.deepEqual(delivery?.issuance, { ...queued, deliveryAttempts: 1, nextAttemptAt: afterNoon(30) })
      t.like(delivery?.challenge, { id, issuanceCount: 1 })
      t.like(delivery?.user, { userId, locale: 'de' })
    },
  )

  test.serial(
    `${adapter}: the trace context of the request that issued a code comes with every claim, and is in no event`,
    async (t) => {
      const traceContext = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id, NOON, { ...PROVENANCE, traceContext })

      const [first] = await stores.outbox.claim(10, NOON, afterNoon(30))
      const [second] = await stores.outbox.claim(10, afterNoon(30), afterNoon(60))

      t.deepEqual([first?.traceContext, second?.traceContext], [traceContext, traceContext])
      t.false((await stores.trail.eventsOf(id)).some((event) => 'traceContext' in event))
    },
  )

  test.serial(
    `${adapter}: a code that was issued without a trace context is claimed without one`,
    async (t) => {
      const stores = await create()
      await issued(stores, (await opened(stores)).id)

      const [delivery] = await stores.outbox.claim(10, NOON, afterNoon(30))

      t.is(delivery?.traceContext, undefined)
    },
  )

  test.serial(`${adapter}: a claimed issuance is nobody else's until its lease ends`, async (t) => {
    const stores = await create()
    await issued(stores, (await opened(stores)).id)
    await stores.outbox.claim(10, NOON, afterNoon(30))

    t.is((await stores.outbox.claim(10, afterNoon(29.999), afterNoon(60))).length, 0)
    t.is((await stores.outbox.claim(10, afterNoon(30), afterNoon(60))).length, 1)
  })

  test.serial(
    `${adapter}: a mail whose text or mailbox somebody changed is claimed as a forgery, and others beside it are not`,
    async (t) => {
      const stores = await create()
      const [honest, reworded, unsealed, redirected] = await Promise.all(
        Array.from({ length: 4 }, () => opened(stores)),
      )
      const codes = new Map<string, string>()
      for (const { id } of [honest!, reworded!, unsealed!, redirected!]) {
        codes.set(id, (await issued(stores, id)).id)
      }
      await stores.intruder.rewrite(reworded!.id, (each) => ({
        ...each,
        operation: { ...each.operation, summary: [{ label: 'Amount', value: 'EUR 1.00' }] },
      }))
      await stores.intruder.unseal(unsealed!.id)
      await stores.intruder.redirect(codes.get(redirected!.id)!, EmailAddress.parse('mallory@example.com'))

      const claimed = await stores.outbox.claim(10, NOON, afterNoon(30))

      const forgeries = new Map(claimed.map((each) => [each.challenge.id, each.forgery()]))
      t.deepEqual(
        [honest, reworded, unsealed, redirected].map((each) => forgeries.get(each!.id)),
        [undefined, 'broken-seal', 'unsealed', 'broken-seal'],
      )
    },
  )

  test.serial(
    `${adapter}: a mail of an ended challenge that somebody set back to pending is claimed as a forgery`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id)
      const { challenge, standing } = (await stores.stepUps.load(id))!
      const [cancelled, event] = Challenge.cancel(challenge, 'by-subject', NOON)
      await stores.stepUps.save({ challenge: cancelled, standing, events: [event] }, PROVENANCE)

      await stores.intruder.rewrite(id, () => challenge)

      const [claimed] = await stores.outbox.claim(10, NOON, afterNoon(30))
      t.is(claimed?.challenge.status, 'pending')
      t.is(claimed?.forgery(), 'set-back')
    },
  )

  test.serial(`${adapter}: an issuance is not due before its time`, async (t) => {
    const stores = await create()
    await issued(stores, (await opened(stores)).id, afterNoon(1))

    t.is((await stores.outbox.claim(10, afterNoon(0.999), afterNoon(30))).length, 0)
    t.is((await stores.outbox.claim(10, afterNoon(1), afterNoon(30))).length, 1)
  })

  test.serial(`${adapter}: no more is claimed than asked for, longest due first`, async (t) => {
    const stores = await create()
    const late = await issued(stores, (await opened(stores)).id, afterNoon(2))
    const early = await issued(stores, (await opened(stores)).id, afterNoon(1))

    const first = await stores.outbox.claim(1, afterNoon(3), afterNoon(30))
    const second = await stores.outbox.claim(1, afterNoon(3), afterNoon(30))

    t.deepEqual(
      [...first, ...second].map(({ issuance }) => issuance.id),
      [early.id, late.id],
    )
  })

  test.serial(
    `${adapter}: every outcome is loaded as it was recorded, and is due no more unless deferred`,
    async (t) => {
      const outcomes = [
        (claimed) => OtpIssuance.markSent(claimed, 'm-1', afterNoon(1)),
        (claimed) => OtpIssuance.markSent(claimed, undefined, afterNoon(1)),
        (claimed) => OtpIssuance.fail(claimed, 'refused', afterNoon(1)),
        (claimed) => OtpIssuance.defer(claimed, afterNoon(1)),
      ] satisfies ((claimed: Parameters<typeof OtpIssuance.defer>[0]) => unknown)[]

      for (const settle of outcomes) {
        const stores = await create()
        const { id } = await opened(stores)
        await issued(stores, id)
        const [delivery] = await stores.outbox.claim(10, NOON, afterNoon(30))
        const [outcome, event] = settle(delivery!.issuance)

        t.true(await stores.outbox.record(delivery!.issuance, outcome, event))

        t.deepEqual((await stores.stepUps.load(id))?.issuance, outcome)
        t.is(
          (await stores.outbox.claim(10, afterNoon(60), afterNoon(90))).length,
          outcome.status === 'queued' ? 1 : 0,
        )
      }
    },
  )

  test.serial(
    `${adapter}: what a process records after its lease was taken over has no effect`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id)
      const [stale] = await stores.outbox.claim(10, NOON, afterNoon(30))
      const [current] = await stores.outbox.claim(10, afterNoon(30), afterNoon(60))

      const recorded = await stores.outbox.record(
        stale!.issuance,
        ...OtpIssuance.fail(stale!.issuance, 'refused', afterNoon(31)),
      )

      t.false(recorded)
      t.deepEqual((await stores.stepUps.load(id))?.issuance, current!.issuance)
    },
  )

  test.serial(
    `${adapter}: of outcomes that are recorded together each has its own effect, or none`,
    async (t) => {
      const stores = await create()
      for (let n = 0; n < 20; n++) await issued(stores, (await opened(stores)).id)
      const stale = await stores.outbox.claim(20, NOON, afterNoon(30))
      const claimedSince = await stores.outbox.claim(5, afterNoon(30), afterNoon(60))
      const lost = new Set(claimedSince.map(({ issuance }) => issuance.id))

      const recorded = await Promise.all(
        stale.map(({ issuance }, n) => {
          const [outcome, event] =
            n % 2 === 0
              ? OtpIssuance.markSent(issuance, `m-${n}`, afterNoon(31))
              : OtpIssuance.defer(issuance, afterNoon(31))
          return stores.outbox.record(issuance, outcome, event)
        }),
      )

      for (const [n, { issuance, challenge }] of stale.entries()) {
        const found = (await stores.stepUps.load(challenge.id))?.issuance
        const { type: last } = (await stores.trail.eventsOf(challenge.id)).at(-1)!
        t.is(recorded[n], !lost.has(issuance.id))
        if (lost.has(issuance.id)) {
          t.like(found, { status: 'queued', deliveryAttempts: 2 })
          t.is(last, 'otp-issued')
        } else if (n % 2 === 0) {
          t.like(found, { status: 'sent', messageId: `m-${n}` })
          t.is(last, 'otp-sent')
        } else {
          t.like(found, { status: 'queued', deliveryAttempts: 1 })
          t.is(last, 'otp-deferred')
        }
      }
    },
  )

  test.serial(
    `${adapter}: of outcomes of one claim that are recorded at once one has an effect`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id)
      const [delivery] = await stores.outbox.claim(10, NOON, afterNoon(30))
      const { issuance } = delivery!

      const recorded = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          stores.outbox.record(issuance, ...OtpIssuance.markSent(issuance, `m-${n}`, afterNoon(1))),
        ),
      )

      t.is(recorded.filter(Boolean).length, 1)
      t.like((await stores.stepUps.load(id))?.issuance, { messageId: `m-${recorded.indexOf(true)}` })
      t.is((await stores.trail.eventsOf(id)).filter(({ type }) => type === 'otp-sent').length, 1)
    },
  )

  test.serial(
    `${adapter}: parallel claims share out what is due without overlap, time after time`,
    async (t) => {
      const stores = await create()
      const ids: string[] = []
      for (let n = 0; n < 20; n++) ids.push((await issued(stores, (await opened(stores)).id)).id)

      for (let round = 0; round < 20; round++) {
        const [now, leaseEnd] = [afterNoon(30 * round), afterNoon(30 * (round + 1))]
        const claims = await Promise.all(
          Array.from({ length: 10 }, () => stores.outbox.claim(5, now, leaseEnd)),
        )
        const rest = await stores.outbox.claim(20, now, leaseEnd)

        const claimed = [...claims.flat(), ...rest].map(({ issuance }) => issuance.id)
        t.deepEqual(claimed.toSorted(), ids.toSorted())
      }
    },
  )

  test.serial(
    `${adapter}: of outcomes that are recorded together the listener hears of each that took effect, once`,
    async (t) => {
      const { stores, commits, storedBefore } = await overheard(create)
      for (let n = 0; n < 12; n++) await issued(stores, (await opened(stores)).id)
      const stale = await stores.outbox.claim(12, NOON, afterNoon(30))
      await stores.outbox.claim(4, afterNoon(30), afterNoon(60))
      commits.length = 0
      // Each of them twice, of which one may have an effect.
      const attempts = [...stale, ...stale].map(({ issuance }) => {
        const [outcome, event] = OtpIssuance.markSent(issuance, 'm', afterNoon(31))
        return { issuance, outcome, event }
      })

      const recorded = await Promise.all(
        attempts.map(({ issuance, outcome, event }) => stores.outbox.record(issuance, outcome, event)),
      )

      const effective = attempts.filter((_, n) => recorded[n])
      t.is(effective.length, 8)
      const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
      t.deepEqual(
        commits
          .map(({ events, provenance, issuance }) => ({
            ...{ id: issuance!.id, issuedAt: issuance!.issuedAt, events, provenance },
          }))
          .toSorted(byId),
        effective
          .map(({ issuance: { id, issuedAt }, event }) => ({
            ...{ id, issuedAt, events: [event], provenance: { actor: 'service' } },
          }))
          .toSorted(byId),
      )
      t.true(await storedBefore())
    },
  )

  test.serial(
    `${adapter}: a listener that throws leaves every outcome recorded, also of those recorded together`,
    async (t) => {
      const stores = await create(FAULTY)
      for (let n = 0; n < 3; n++) await issued(stores, (await opened(stores)).id)
      const deliveries = await stores.outbox.claim(3, NOON, afterNoon(30))

      const recorded = await Promise.all(
        deliveries.map(({ issuance }) =>
          stores.outbox.record(issuance, ...OtpIssuance.markSent(issuance, 'm', NOON)),
        ),
      )

      t.deepEqual(recorded, [true, true, true])
    },
  )
}
