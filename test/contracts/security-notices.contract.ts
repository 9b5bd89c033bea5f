import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { SecurityNoticeDelivery, SecurityNotices } from '../../src/application/ports/security-notices.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { SecurityNotice } from '../../src/domain/security-notice.ts'
import { ALICE, afterNoon, NOON } from '../domain/examples.ts'
import { type CreateStores, issued, opened, PROVENANCE, type Stores } from './stores.ts'

export interface SecurityNoticeStores extends Stores {
  readonly securityNotices: SecurityNotices
}

const ELSEWHERE = EmailAddress.parse('alice@elsewhere.example')

/** What the sender of security notices relies on. Called once per adapter, with a storage of its own for each case. */
export function securityNoticesContract(adapter: string, create: CreateStores<SecurityNoticeStores>): void {
  /** A user whose address has just been changed. */
  async function moved() {
    const stores = await create()
    const userId = randomUUID()
    await stores.registry.put({ userId, email: ALICE, locale: 'de' }, NOON, PROVENANCE)
    await stores.registry.put({ userId, email: ELSEWHERE, locale: 'de' }, NOON, PROVENANCE)
    const claim = (at = 0) => stores.securityNotices.claim(50, afterNoon(at), afterNoon(at + 30))
    return { stores, userId, claim }
  }

  test.serial(`${adapter}: another address tells the one before, once, and nothing else does`, async (t) => {
    const { stores, userId, claim } = await moved()
    await stores.registry.put({ userId, email: ELSEWHERE, displayName: 'A.' }, NOON, PROVENANCE)
    await stores.registry.put({ userId: randomUUID(), email: ALICE }, NOON, PROVENANCE)

    const [delivery, ...others] = await claim()

    t.like(delivery, {
      notice: { kind: 'address-changed', subjectUserId: userId, recipient: ALICE, deliveryAttempts: 1 },
      user: { displayName: 'A.' },
    })
    t.deepEqual(delivery?.notice.happenedAt, NOON)
    t.deepEqual(others, [])
  })

  test.serial(`${adapter}: a change by a client has its id, and one by an operator has none`, async (t) => {
    const stores = await create()
    const users = [randomUUID(), randomUUID()]
    for (const [index, actor] of ['client:payments-b', 'operator:import'].entries()) {
      const userId = users[index]!
      await stores.registry.put({ userId, email: ALICE }, NOON, { actor })
      await stores.registry.put({ userId, email: ELSEWHERE }, NOON, { actor })
    }

    const due = await stores.securityNotices.claim(50, NOON, afterNoon(30))

    const clients = new Map(due.map(({ notice }) => [notice.subjectUserId, notice.clientId]))
    t.deepEqual(
      users.map((userId) => clients.get(userId)),
      ['payments-b', undefined],
    )
  })

  test.serial(
    `${adapter}: of parallel claims one gets the notice, and after its lease another does`,
    async (t) => {
      const { claim } = await moved()

      const claims = await Promise.all(Array.from({ length: 6 }, () => claim()))

      t.is(claims.flat().length, 1)
      t.deepEqual(await claim(29), [])
      t.is((await claim(30))[0]?.notice.deliveryAttempts, 2)
    },
  )

  test.serial(
    `${adapter}: a notice that was sent is not due again, and a late record changes nothing`,
    async (t) => {
      const { stores, claim } = await moved()
      const [first] = await claim()
      const [second] = await claim(30)

      const late = SecurityNotice.markSent(first!.notice, afterNoon(31))
      t.false(await stores.securityNotices.record(first!.notice, ...late))
      const sent = SecurityNotice.markSent(second!.notice, afterNoon(31))
      t.true(await stores.securityNotices.record(second!.notice, ...sent))

      t.deepEqual(await claim(3600), [])
    },
  )

  test.serial(
    `${adapter}: an erasure leaves a warning that is queued, or being sent, to the address before`,
    async (t) => {
      const { stores, userId, claim } = await moved()
      const [delivery] = await claim()

      await stores.registry.erase(userId, NOON, PROVENANCE)
      await stores.registry.put({ userId, email: ELSEWHERE, locale: 'fi' }, NOON, PROVENANCE)

      const [again, ...others] = await claim(30)
      t.like(again?.notice, { id: delivery!.notice.id, recipient: ALICE, locale: 'de' })
      t.deepEqual(others, [])
      const sent = SecurityNotice.markSent(again!.notice, afterNoon(31))
      t.true(await stores.securityNotices.record(again!.notice, ...sent))
      t.deepEqual(await claim(3600), [])
    },
  )

  test.serial(
    `${adapter}: an erased address hears of it once, if a challenge was live or the caller says so`,
    async (t) => {
      const stores = await create()
      const live = (await opened(stores)).subjectUserId
      const [held, quiet] = [randomUUID(), randomUUID()]
      for (const userId of [live, held, quiet]) {
        await stores.registry.put({ userId, email: ALICE, locale: 'de' }, NOON, PROVENANCE)
      }

      await stores.registry.erase(live, afterNoon(1), PROVENANCE)
      await stores.registry.erase(held, afterNoon(2), PROVENANCE, true)
      await stores.registry.erase(held, afterNoon(3), PROVENANCE, true)
      await stores.registry.erase(quiet, afterNoon(4), PROVENANCE)

      const due = await stores.securityNotices.claim(50, afterNoon(10), afterNoon(40))
      t.deepEqual(
        due.map(({ notice: { kind, subjectUserId, recipient, locale } }) => [
          ...[kind, subjectUserId, recipient, locale],
        ]),
        [live, held].map((userId) => ['address-removed', userId, ALICE, 'de']),
      )
      t.true(due.every(({ user }) => user === undefined))
    },
  )

  /** Changes the address of the user to another one and back, and erases the entry each time if it has to. */
  async function toggle({ registry }: Stores, userId: string, times: number, from: number, erases = false) {
    for (let n = 0; n < times; n++) {
      const at = afterNoon(from + n)
      await registry.put({ userId, email: EmailAddress.parse('ALICE@Example.com') }, at, PROVENANCE)
      if (erases) await registry.erase(userId, at, PROVENANCE, true)
      else await registry.put({ userId, email: ELSEWHERE }, at, PROVENANCE)
    }
  }

  const toAlice = (deliveries: readonly SecurityNoticeDelivery[]) =>
    deliveries.filter(({ notice }) => EmailAddress.isSameMailbox(notice.recipient, ALICE))
  const inTime = (deliveries: readonly SecurityNoticeDelivery[]) =>
    toAlice(deliveries)
      .filter(({ isSurplus }) => !isSurplus)
      .map(({ notice }) => notice)

  test.serial(
    `${adapter}: a mailbox hears ten times an hour of one user at most, however it is spelled and claimed`,
    async (t) => {
      const { stores, userId } = await moved()
      await toggle(stores, userId, 24, 0)

      const claims = await Promise.all(
        Array.from({ length: 10 }, () => stores.securityNotices.claim(7, afterNoon(60), afterNoon(90))),
      )

      t.is(toAlice(claims.flat()).length, 25)
      const sent = inTime(claims.flat())
      t.is(sent.length, 10)
      for (const notice of sent) {
        await stores.securityNotices.record(notice, ...SecurityNotice.markSent(notice, afterNoon(61)))
      }
      await toggle(stores, userId, 1, 3590)
      t.deepEqual(inTime(await stores.securityNotices.claim(50, afterNoon(3591), afterNoon(3600))), [])
      await toggle(stores, userId, 1, 3700)
      const later = inTime(await stores.securityNotices.claim(200, afterNoon(3700), afterNoon(3800)))
      t.deepEqual(
        later.map(({ happenedAt }) => happenedAt),
        [afterNoon(3700)],
      )
    },
  )

  test.serial(`${adapter}: what a mailbox hears of one user takes nothing from another`, async (t) => {
    const { stores, userId, claim } = await moved()
    await toggle(stores, userId, 24, 0)
    const other = randomUUID()
    await toggle(stores, other, 1, 30)

    const due = await claim(60)

    t.deepEqual(inTime(due).filter(({ subjectUserId }) => subjectUserId === other).length, 1)
  })

  test.serial(`${adapter}: an erasure between them lets a mailbox hear no more often`, async (t) => {
    const stores = await create()
    const userId = randomUUID()
    let sent = 0
    for (let round = 0; round < 4; round++) {
      await toggle(stores, userId, 4, round * 60, true)
      const due = await stores.securityNotices.claim(
        50,
        afterNoon(round * 60 + 30),
        afterNoon(round * 60 + 50),
      )
      for (const { notice, isSurplus } of due) {
        const outcome = isSurplus
          ? SecurityNotice.fail(notice, 'too-many', afterNoon(round * 60 + 30))
          : SecurityNotice.markSent(notice, afterNoon(round * 60 + 30))
        t.true(await stores.securityNotices.record(notice, ...outcome))
        if (!isSurplus) sent++
      }
    }

    t.is(sent, 10)
  })

  test.serial(`${adapter}: a notice that failed counts for none after it`, async (t) => {
    const { stores, userId } = await moved()
    await toggle(stores, userId, 12, 0)
    for (const { notice } of await stores.securityNotices.claim(50, afterNoon(60), afterNoon(90))) {
      await stores.securityNotices.record(notice, ...SecurityNotice.fail(notice, 'refused', afterNoon(61)))
    }

    await toggle(stores, userId, 1, 100)

    t.is(inTime(await stores.securityNotices.claim(50, afterNoon(100), afterNoon(130))).length, 1)
  })

  test.serial(
    `${adapter}: a decision that ends a challenge queues its notice, if it is stored`,
    async (t) => {
      const stores = await create()
      const { id } = await opened(stores)
      await issued(stores, id)
      const { challenge, standing } = (await stores.stepUps.load(id))!
      const [cancelled, event] = Challenge.cancel(challenge, 'operation-mismatch', NOON)
      const { subjectUserId } = challenge
      const notice = {
        kind: 'operation-mismatch',
        clientId: 'payments-b',
        subjectUserId,
        recipient: ALICE,
        happenedAt: NOON,
      } as const
      const decision = { challenge: cancelled, standing, events: [event], securityNotice: notice }

      const race = await Promise.all(
        Array.from({ length: 5 }, () => stores.stepUps.save(decision, PROVENANCE)),
      )

      t.is(race.filter(Boolean).length, 1)
      const due = await stores.securityNotices.claim(50, NOON, afterNoon(30))
      t.is(due.length, 1)
      t.like(due[0]?.notice, { kind: 'operation-mismatch', clientId: 'payments-b', subjectUserId })
    },
  )
}
