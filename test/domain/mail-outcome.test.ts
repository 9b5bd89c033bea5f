import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { Challenge } from '../../src/domain/challenge.ts'
import type { BounceKind } from '../../src/domain/domain-event.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { type MailEvent, MailOutcome } from '../../src/domain/mail-outcome.ts'
import { OtpIssuance, type UndatedReport } from '../../src/domain/otp-issuance.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, demand, NOON, openChallenge, POLICY } from './examples.ts'

const queued = {
  ...OtpIssuance.queue(demand(), Challenge.countIssuance(openChallenge(), NOON), POLICY, NOON),
  deliveryAttempts: 1,
}
const [sent] = OtpIssuance.markSent(queued, 'm-1', afterNoon(1))
const [failed] = OtpIssuance.fail(queued, 'code-expired', afterNoon(300))
const standing = SubjectStanding.blank('alice')

const delayed = (seconds: number): MailEvent => ({ outcome: 'delayed', at: afterNoon(seconds) })
const delivered = (seconds: number): MailEvent => ({ outcome: 'delivered', at: afterNoon(seconds) })
const bounced = (kind: BounceKind, seconds: number): MailEvent => ({
  outcome: 'bounced',
  kind,
  at: afterNoon(seconds),
})

/** The fate after all the news, with every event that came of them. */
function after(news: readonly MailEvent[], issuance: OtpIssuance = sent, held = standing) {
  const events: string[] = []
  let fate: MailOutcome = { issuance, standing: held }
  for (const each of news) {
    const decision = MailOutcome.record(fate, each)
    fate = { issuance: decision?.issuance ?? fate.issuance, standing: decision?.standing ?? fate.standing }
    events.push(...(decision?.events.map(({ type }) => type) ?? []))
  }
  return { ...fate, events }
}

test('a delivery makes the issuance delivered, and keeps when it was sent', (t) => {
  const { issuance, events } = after([delivered(3)])

  t.like(issuance, {
    status: 'delivered',
    sentAt: afterNoon(1),
    messageId: 'm-1',
    deliveredAt: afterNoon(3),
  })
  t.deepEqual(events, ['otp-delivered'])
})

test('a delay leaves the mail on its way, and is on record once, with its first time', (t) => {
  const { issuance, standing: held, events } = after([delayed(90), delayed(60), delayed(120)])

  t.deepEqual(issuance, { ...sent, delayedAt: afterNoon(60) })
  t.is(held, standing)
  t.deepEqual(events, ['otp-delayed'])
})

test('a delay of a mail that is still queued ends no attempt to send it', (t) => {
  t.deepEqual(after([delayed(3)], queued).issuance, { ...queued, delayedAt: afterNoon(3) })
})

for (const end of [delivered(60), bounced('soft-bounce', 60)]) {
  test(`a delay that is told after the mail was ${end.outcome} is no event`, (t) => {
    const { issuance, events } = after([end, delayed(3)])

    t.like(issuance, { status: end.outcome, delayedAt: afterNoon(3) })
    t.deepEqual(events, [`otp-${end.outcome}`])
  })
}

test('a report without a time is of the time at which the same was reported first', (t) => {
  const { issuance } = after([delayed(2), delivered(3), bounced('hard-bounce', 4)])
  const at = (report: UndatedReport, of = issuance) => OtpIssuance.reportedAt(of, report)

  t.deepEqual(at({ outcome: 'delayed' }), afterNoon(2))
  t.deepEqual(at({ outcome: 'delivered' }), afterNoon(3))
  t.deepEqual(at({ outcome: 'bounced', kind: 'soft-bounce' }), afterNoon(4))
  t.deepEqual(at({ outcome: 'bounced', kind: 'hard-bounce' }), afterNoon(4))
  t.is(at({ outcome: 'bounced', kind: 'complaint' }), undefined)
  for (const outcome of ['delayed', 'delivered'] as const) t.is(at({ outcome }, sent), undefined)
  t.is(at({ outcome: 'bounced', kind: 'soft-bounce' }, sent), undefined)
})

test('a soft bounce makes the issuance bounced, and holds nothing against the address', (t) => {
  const { issuance, standing: held, events } = after([bounced('soft-bounce', 3)])

  t.like(issuance, { status: 'bounced', kind: 'soft-bounce', bouncedAt: afterNoon(3) })
  t.is(held, standing)
  t.deepEqual(events, ['otp-bounced'])
})

for (const kind of ['hard-bounce', 'complaint'] as const) {
  test(`a ${kind} takes the address out of use, and no other address`, (t) => {
    const { standing: held, events } = after([bounced(kind, 3)])

    t.deepEqual(held.suppression, { address: ALICE, reason: kind, at: afterNoon(3) })
    t.true(SubjectStanding.isSuppressed(held, ALICE))
    t.true(SubjectStanding.isSuppressed(held, EmailAddress.parse('alice@EXAMPLE.COM')))
    t.false(SubjectStanding.isSuppressed(held, EmailAddress.parse('alice@elsewhere.example')))
    t.deepEqual(events, ['otp-bounced', 'address-suppressed'])
  })
}

test('an address may go out of use without a word on the mail', (t) => {
  const {
    issuance,
    standing: held,
    events,
  } = after([{ outcome: 'suppressed', reason: 'unsubscribed', at: afterNoon(3) }])

  t.is(issuance, sent)
  t.is(held.suppression?.address, ALICE)
  t.deepEqual(events, ['address-suppressed'])
})

test('a complaint about a delivered mail outweighs the delivery, and keeps when that was', (t) => {
  const { issuance } = after([delivered(3), bounced('complaint', 60)])

  t.like(issuance, { status: 'bounced', deliveredAt: afterNoon(3), bouncedAt: afterNoon(60) })
})

test('a delivery told after a bounce changes no more than when it arrived', (t) => {
  const { issuance, events } = after([bounced('hard-bounce', 4), delivered(3)])

  t.like(issuance, { status: 'bounced', deliveredAt: afterNoon(3), bouncedAt: afterNoon(4) })
  t.deepEqual(events, ['otp-bounced', 'address-suppressed', 'otp-delivered'])
})

test('a report outweighs a failure of ours, and a hand-over that nobody recorded', (t) => {
  for (const believed of [failed, queued]) {
    const { issuance } = after([delivered(3)], believed)

    t.like(issuance, { status: 'delivered', sentAt: undefined })
    t.false('nextAttemptAt' in issuance || 'failedAt' in issuance || 'reason' in issuance)
  }
})

test('what is told twice is news once', (t) => {
  for (const news of [delivered(3), bounced('soft-bounce', 3), bounced('complaint', 3)]) {
    const once = after([news])
    t.is(MailOutcome.record(once, news), undefined)
  }
})

test('of two that say the same the earlier time stays, and the trail does not tell of it again', (t) => {
  const late = after([delivered(9), bounced('soft-bounce', 10)])
  const early = after([delivered(3), bounced('soft-bounce', 4)], late.issuance)

  t.like(early.issuance, { deliveredAt: afterNoon(3), bouncedAt: afterNoon(4) })
  t.deepEqual(early.events, [])
  t.deepEqual(after([delivered(9), bounced('soft-bounce', 10)], early.issuance).issuance, early.issuance)
})

test('a graver bounce outweighs a lighter one, whichever came first', (t) => {
  for (const [lighter, graver] of [
    ['soft-bounce', 'hard-bounce'],
    ['hard-bounce', 'complaint'],
    ['soft-bounce', 'complaint'],
  ] as const) {
    t.like(after([bounced(lighter, 3), bounced(graver, 4)]).issuance, {
      kind: graver,
      bouncedAt: afterNoon(4),
    })
    t.like(after([bounced(graver, 3), bounced(lighter, 4)]).issuance, {
      kind: graver,
      bouncedAt: afterNoon(3),
    })
  }
})

test('what is no news to the mail is to the address, if that is still in use', (t) => {
  const { issuance } = after([bounced('hard-bounce', 3)])

  const decision = MailOutcome.record({ issuance, standing }, bounced('hard-bounce', 3))

  t.is(decision?.issuance, undefined)
  t.like(decision?.standing, { suppression: { address: ALICE } })
  t.deepEqual(
    decision?.events.map(({ type }) => type),
    ['address-suppressed'],
  )
})

test('a delivery that is told again leaves the issuance as it is, and the trail', (t) => {
  const [once] = OtpIssuance.report(sent, { outcome: 'delivered', at: afterNoon(3) })

  t.deepEqual(OtpIssuance.report(once, { outcome: 'delivered', at: afterNoon(3) }), [once, []])
})

test('no news are older than the mail', (t) => {
  t.like(after([delivered(-60)]).issuance, { deliveredAt: NOON })
})

test('a lift lets mails out again, and a bounce from before it no longer counts against the address', (t) => {
  const bounce = after([bounced('hard-bounce', 3)])
  const lifted = SubjectStanding.lift(bounce.standing, afterNoon(10))
  t.false(SubjectStanding.isSuppressed(lifted, ALICE))

  const late = after([bounced('hard-bounce', 9.999)], sent, lifted)
  t.like(late.issuance, { status: 'bounced' })
  t.is(late.standing, lifted)
  t.deepEqual(late.events, ['otp-bounced'])

  t.true(SubjectStanding.isSuppressed(after([bounced('hard-bounce', 10)], sent, lifted).standing, ALICE))
})

test('a lift from before a suppression does not lift it', (t) => {
  const { standing: held } = after([bounced('hard-bounce', 10)])

  t.is(SubjectStanding.lift(held, afterNoon(10)), held)
  t.is(SubjectStanding.lift(held, afterNoon(9)), held)
})

/** All that can be told of one mail, each at a time of its own. */
const allNews = fc
  .uniqueArray(fc.nat(600), { minLength: 1, maxLength: 8 })
  .chain((times) =>
    fc.tuple(
      ...times.map((seconds) =>
        fc.constantFrom<MailEvent>(
          delayed(seconds),
          delivered(seconds),
          bounced('soft-bounce', seconds),
          bounced('hard-bounce', seconds),
          bounced('complaint', seconds),
          { outcome: 'suppressed', reason: 'unsubscribed', at: afterNoon(seconds) },
          { outcome: 'suppressed', reason: 'refused', at: afterNoon(seconds) },
        ),
      ),
    ),
  )

/** The same news in two orders, some of them more than once. */
const twoOrders = allNews.chain((news) => {
  const anyOrder = fc
    .tuple(
      fc.shuffledSubarray(news, { minLength: news.length }),
      fc.array(fc.constantFrom(...news), { maxLength: 4 }),
    )
    .map(([once, again]) => [...once, ...again])
  return fc.tuple(anyOrder, anyOrder)
})

const start = fc.constantFrom<OtpIssuance>(queued, sent, failed)

const law = (title: string, holds: (one: MailEvent[], other: MailEvent[], from: OtpIssuance) => boolean) =>
  test(title, (t) => {
    t.notThrows(() =>
      fc.assert(
        fc.property(twoOrders, start, ([one, other], from) => holds(one, other, from)),
        { numRuns: 1000 },
      ),
    )
  })

law('the same news in any order, however often, come to the same', (one, other, from) => {
  const [first, second] = [after(one, from), after(other, from)]
  return (
    isDeepStrictEqual(first.issuance, second.issuance) && isDeepStrictEqual(first.standing, second.standing)
  )
})

law('a bounced mail never becomes anything else, and a delivered one only bounced', (one, _, from) => {
  const statuses = one.map((__, count) => after(one.slice(0, count + 1), from).issuance.status)
  const rank = { queued: 0, sent: 0, failed: 0, delivered: 1, bounced: 2 }
  return statuses.every((status, index) => index === 0 || rank[status] >= rank[statuses[index - 1]!])
})

law('the address is out of use if and only if something said so', (one, _, from) => {
  const said = one.some(
    (news) => news.outcome === 'suppressed' || (news.outcome === 'bounced' && news.kind !== 'soft-bounce'),
  )
  return SubjectStanding.isSuppressed(after(one, from).standing, ALICE) === said
})

law(
  'the trail tells of a delivery once, of each kind of bounce at most once, and of a suppression once',
  (one, _, from) => {
    const { events, issuance } = after(one, from)
    const count = (type: string) => events.filter((event) => event === type).length
    return (
      count('otp-delivered') === Number('deliveredAt' in issuance && issuance.deliveredAt !== undefined) &&
      count('otp-bounced') <= 3 &&
      count('otp-delayed') <= 1 &&
      count('address-suppressed') <= 1
    )
  },
)

test('suppressions and lifts in any order come to what the latest says', (t) => {
  const changes = fc
    .uniqueArray(fc.nat(600), { minLength: 1, maxLength: 6 })
    .chain((times) => fc.tuple(...times.map((at) => fc.tuple(fc.constant(at), fc.boolean()))))
  const play = (all: readonly (readonly [number, boolean])[]) =>
    all.reduce(
      (held, [at, suppresses]) =>
        suppresses
          ? SubjectStanding.suppress(held, { address: ALICE, reason: 'refused', at: afterNoon(at) })
          : SubjectStanding.lift(held, afterNoon(at)),
      standing,
    )

  t.notThrows(() =>
    fc.assert(
      fc.property(
        changes.chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
        (all) => {
          const [, latestSuppresses] = all.toSorted(([one], [other]) => one - other).at(-1)!
          return SubjectStanding.isSuppressed(play(all), ALICE) === latestSuppresses
        },
      ),
    ),
  )
})
