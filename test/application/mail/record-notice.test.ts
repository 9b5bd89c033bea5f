import { randomUUID } from 'node:crypto'
import test from 'ava'
import { liftSuppression } from '../../../src/application/mail/lift-suppression.ts'
import { RecordNotice } from '../../../src/application/mail/record-notice.ts'
import { MAIL_SYSTEM } from '../../../src/application/ports/provenance.ts'
import { OtpIssuance, type UndatedReport } from '../../../src/domain/otp-issuance.ts'
import { issued, opened } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { inMemoryStores } from '../../doubles/in-memory/in-memory-stores.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'

const HARD: UndatedReport = { outcome: 'bounced', kind: 'hard-bounce' }
const SOFT: UndatedReport = { outcome: 'bounced', kind: 'soft-bounce' }
const DELAYED: UndatedReport = { outcome: 'delayed' }
const DELIVERED: UndatedReport = { outcome: 'delivered' }
const DAY = 86_400

/** A mail that was sent at noon, a minute ago. */
async function sent() {
  const stores = inMemoryStores()
  const { id: challengeId, subjectUserId } = await opened(stores)
  const { id: issuanceId } = await issued(stores, challengeId)
  const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
  await stores.outbox.record(delivery!.issuance, ...OtpIssuance.markSent(delivery!.issuance, 'm', NOON))
  const clock = new SettableClock(afterNoon(60))
  const use = new RecordNotice(stores.mailOutcomes, clock)
  return {
    ...{ stores, clock, subjectUserId },
    hear: (report: UndatedReport) => use.execute({ issuanceId, report }),
    stepUp: async () => (await stores.stepUps.load(challengeId))!,
    events: async () => (await stores.trail.eventsOf(challengeId)).slice(3),
    use,
  }
}

test('a hard bounce is of its arrival, and suppresses the address, on record as of the mail system', async (t) => {
  const { hear, stepUp, events } = await sent()

  t.is(await hear(HARD), 'stored')

  const { issuance, standing } = await stepUp()
  t.like(issuance, { status: 'bounced', kind: 'hard-bounce', bouncedAt: afterNoon(60) })
  t.like(standing.suppression, { address: ALICE, reason: 'hard-bounce', at: afterNoon(60) })
  t.deepEqual(
    (await events()).map(({ type, actor }) => [type, actor]),
    [
      ['otp-bounced', MAIL_SYSTEM],
      ['address-suppressed', MAIL_SYSTEM],
    ],
  )
})

test('a soft bounce suppresses nothing, and a delay and a delivery are recorded', async (t) => {
  const { hear, stepUp, clock } = await sent()

  t.is(await hear(DELAYED), 'stored')
  t.like((await stepUp()).issuance, { status: 'sent', delayedAt: afterNoon(60) })
  clock.pass(60)
  t.is(await hear(DELIVERED), 'stored')
  t.like((await stepUp()).issuance, { status: 'delivered', deliveredAt: afterNoon(120) })
  clock.pass(60)
  t.is(await hear(SOFT), 'stored')
  t.like((await stepUp()).issuance, { status: 'bounced', deliveredAt: afterNoon(120) })
  t.is((await stepUp()).standing.suppression, undefined)
})

for (const report of [DELAYED, DELIVERED, SOFT, HARD]) {
  test(`a notice that comes again says nothing new (${Object.values(report).join(', ')})`, async (t) => {
    const { hear, stepUp, clock } = await sent()
    await hear(report)
    const once = await stepUp()

    clock.pass(3600)

    t.is(await hear(report), 'known')
    t.deepEqual(await stepUp(), once)
  })
}

test('a notice that comes again does not undo a lift', async (t) => {
  const { hear, stepUp, stores, subjectUserId, clock } = await sent()
  await hear(HARD)
  await liftSuppression(stores.suppressions, subjectUserId, afterNoon(120), { actor: 'client:crm' })
  clock.pass(3600)

  for (const report of [HARD, SOFT]) t.is(await hear(report), 'known')

  t.is((await stepUp()).standing.suppression?.address, undefined)
})

test('a hard bounce after a soft one is news, and suppresses', async (t) => {
  const { hear, stepUp, clock } = await sent()
  await hear(SOFT)
  clock.pass(60)

  t.is(await hear(HARD), 'stored')

  t.like((await stepUp()).standing.suppression, { address: ALICE, at: afterNoon(120) })
})

test('a delay that is told after the end of the mail is no event', async (t) => {
  const { hear, events } = await sent()
  await hear(DELIVERED)

  await hear(DELAYED)

  t.deepEqual(
    (await events()).map(({ type }) => type),
    ['otp-delivered'],
  )
})

test('a notice about no mail of ours, or one that was purged, is unknown', async (t) => {
  const { use } = await sent()

  t.is(await use.execute({ issuanceId: randomUUID(), report: HARD }), 'unknown')
})

test('a notice counts for fourteen days after its mail', async (t) => {
  const { hear, stepUp, clock } = await sent()

  clock.pass(14 * DAY - 60)
  t.is(await hear(HARD), 'outdated')
  t.like((await stepUp()).issuance, { status: 'sent' })

  clock.pass(-0.001)
  t.is(await hear(HARD), 'stored')
})
