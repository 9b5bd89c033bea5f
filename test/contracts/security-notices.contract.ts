import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { SecurityNotices } from '../../src/application/ports/security-notices.ts'
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

  test(`${adapter}: another address tells the one before, once, and nothing else does`, async (t) => {
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

  test(`${adapter}: a change by a client has its id, and one by an operator has none`, async (t) => {
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

  test(`${adapter}: of parallel claims one gets the notice, and after its lease another does`, async (t) => {
    const { claim } = await moved()

    const claims = await Promise.all(Array.from({ length: 6 }, () => claim()))

    t.is(claims.flat().length, 1)
    t.deepEqual(await claim(29), [])
    t.is((await claim(30))[0]?.notice.deliveryAttempts, 2)
  })

  test(`${adapter}: a notice that was sent is not due again, and a late record changes nothing`, async (t) => {
    const { stores, claim } = await moved()
    const [first] = await claim()
    const [second] = await claim(30)

    const late = SecurityNotice.markSent(first!.notice, afterNoon(31))
    t.false(await stores.securityNotices.record(first!.notice, ...late))
    const sent = SecurityNotice.markSent(second!.notice, afterNoon(31))
    t.true(await stores.securityNotices.record(second!.notice, ...sent))

    t.deepEqual(await claim(3600), [])
  })

  test(`${adapter}: an erasure takes the notices of its user along, also one that is being sent`, async (t) => {
    const { stores, userId, claim } = await moved()
    const [delivery] = await claim()

    await stores.registry.erase(userId, NOON, PROVENANCE)

    const sent = SecurityNotice.markSent(delivery!.notice, NOON)
    t.false(await stores.securityNotices.record(delivery!.notice, ...sent))
    t.deepEqual(await claim(3600), [])
  })

  test(`${adapter}: a mailbox hears of ten changes an hour at most, however it is spelled`, async (t) => {
    const { stores, userId, claim } = await moved()
    for (let n = 0; n < 12; n++) {
      const email = EmailAddress.parse(n % 2 === 0 ? 'ALICE@Example.com' : ELSEWHERE)
      await stores.registry.put({ userId, email }, afterNoon(n), PROVENANCE)
    }
    for (let n = 0; n < 12; n++) {
      const other = randomUUID()
      await stores.registry.put({ userId: other, email: ALICE }, NOON, PROVENANCE)
      await stores.registry.put({ userId: other, email: ELSEWHERE }, afterNoon(20), PROVENANCE)
    }

    const toAlice = (await claim(60)).filter(({ notice }) =>
      EmailAddress.isSameMailbox(notice.recipient, ALICE),
    )

    t.is(toAlice.length, 10)
  })

  test(`${adapter}: a decision that ends a challenge queues its notice, if it is stored`, async (t) => {
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

    const race = await Promise.all(Array.from({ length: 5 }, () => stores.stepUps.save(decision, PROVENANCE)))

    t.is(race.filter(Boolean).length, 1)
    const due = await stores.securityNotices.claim(50, NOON, afterNoon(30))
    t.is(due.length, 1)
    t.like(due[0]?.notice, { kind: 'operation-mismatch', clientId: 'payments-b', subjectUserId })
  })
}
