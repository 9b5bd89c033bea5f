import { randomUUID } from 'node:crypto'
import test from 'ava'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { ChallengeOver } from '../../../src/domain/challenge.ts'
import { POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const ORIGIN = { requestId: 'r', remoteAddress: '192.0.2.9' }

/** A challenge with a code, and what its mail's link does. */
async function mailed() {
  const house = await scenario()
  const challengeId = await house.open()
  await house.issue(challengeId)
  await house.deliver()
  const token = house.notices.at(-1)!.reportUrl!.split('/').at(-1)!
  return {
    ...house,
    ...{ challengeId, token },
    report: (endOthers = false) => house.reportChallenge.execute({ token, endOthers, origin: ORIGIN }),
    reports: () => house.store.events.filter(({ type }) => type === 'challenge-reported'),
    statusOf: async (id: string) => (await house.store.stepUps.load(id))!.challenge.status,
  }
}

test('a report cancels a pending challenge, its code counts no more, and the trail says who and why', async (t) => {
  const { report, challengeId, verify, store } = await mailed()

  t.deepEqual(await report(), {
    ...{ challengeId, clientId: 'payments', isFirst: true, statusBefore: 'pending' },
    ...{ locale: 'de', othersEnded: undefined },
  })

  const about = { challengeId, subjectUserId: 'alice', actor: 'mail-reader', ...ORIGIN }
  t.like(store.events.at(-2), { ...about, type: 'challenge-reported', statusBefore: 'pending', mail: 'otp' })
  t.like(store.events.at(-1), { ...about, type: 'challenge-cancelled', reason: 'reported' })
  await t.throwsAsync(verify(challengeId, '000001'), {
    instanceOf: ChallengeOver,
    code: 'challenge-cancelled',
  })
})

test('a report cancels a verified challenge before its approval is used', async (t) => {
  const { report, challengeId, verify, consume } = await mailed()
  await verify(challengeId, '000001')

  t.like(await report(), { isFirst: true, statusBefore: 'verified' })

  await t.throwsAsync(consume(challengeId), { instanceOf: ChallengeOver, code: 'challenge-cancelled' })
})

test('a report of a consumed challenge changes nothing about it, and its service learns of it', async (t) => {
  const { report, challengeId, verify, consume, store, statusOf } = await mailed()
  await verify(challengeId, '000001')
  const first = await consume(challengeId)

  t.like(await report(), { isFirst: true, statusBefore: 'consumed' })

  t.is(await statusOf(challengeId), 'consumed')
  t.like(store.events.at(-1), { type: 'challenge-reported', statusBefore: 'consumed' })
  t.deepEqual(await consume(challengeId), first)
})

test('a report of an expired or exhausted challenge is recorded and cancels nothing', async (t) => {
  const expired = await mailed()
  expired.clock.pass(POLICY.challengeLifetimeInSeconds)
  const exhausted = await mailed()
  for (let n = 0; n < 5; n++) await exhausted.verify(exhausted.challengeId, '999999')

  t.like(await expired.report(), { isFirst: true, statusBefore: 'expired' })
  t.like(await exhausted.report(), { isFirst: true, statusBefore: 'exhausted' })

  for (const { store } of [expired, exhausted]) {
    t.is(store.events.at(-1)?.type, 'challenge-reported')
    t.false(store.events.some(({ type }) => type === 'challenge-cancelled'))
  }
})

test('a second report stores nothing and says how the challenge stood at the first', async (t) => {
  const { report, reports, store, clock } = await mailed()
  await report()
  const before = store.events.length
  clock.pass(86_400)

  t.like(await report(), { isFirst: false, statusBefore: 'pending', othersEnded: undefined })

  t.is(store.events.length, before)
  t.is(reports().length, 1)
})

test('twenty reports at once record one, over the mails of two codes', async (t) => {
  const { report, reports, reportChallenge, challengeId, issue, deliver, notices, clock } = await mailed()
  clock.pass(60)
  await issue(challengeId)
  await deliver()
  const newer = notices.at(-1)!.reportUrl!.split('/').at(-1)!

  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      n % 2 ? report() : reportChallenge.execute({ token: newer, endOthers: false, origin: ORIGIN }),
    ),
  )

  t.is(outcomes.filter((each) => each?.isFirst).length, 1)
  t.true(outcomes.every((each) => each?.statusBefore === 'pending'))
  t.is(reports().length, 1)
})

test("the user's other live challenges end only if the reader asks for it, and nobody else's ever do", async (t) => {
  const { report, open, issue, verify, statusOf, store, putUser, clock } = await mailed()
  await putUser.execute({ userId: 'bob', email: 'bob@example.com', clientId: 'crm', origin: ORIGIN })
  const [pending, verified, bobs] = [await open(), await open(), await open('bob')]
  await issue(verified)
  await verify(verified, '000001')

  t.is((await report())?.othersEnded, undefined)
  t.is(await statusOf(pending), 'pending')
  clock.pass(15 * 60 - 1)
  t.like(await report(true), { isFirst: false, othersEnded: 2 })

  t.deepEqual(await Promise.all([pending, verified, bobs].map(statusOf)), [
    'cancelled',
    'cancelled',
    'pending',
  ])
  t.deepEqual(
    store.events.slice(-2).map((event) => [event.type, 'reason' in event && event.reason, event.actor]),
    Array.from({ length: 2 }, () => ['challenge-cancelled', 'reported', 'mail-reader']),
  )
})

test('a quarter of an hour after the first report, an old mail ends nothing that its user has begun', async (t) => {
  const { report, open, statusOf, clock } = await mailed()
  await report(true)
  clock.pass(15 * 60)
  const later = await open()

  t.like(await report(true), { isFirst: false, othersEnded: undefined })

  t.is(await statusOf(later), 'pending')
})

test('a challenge that ended after it was found is not one that the reader ended', async (t) => {
  const { report, open, store, cancelChallenge } = await mailed()
  const other = await open()
  const client = { kind: 'client', clientId: 'payments', scopes: new Set<string>() } as const
  await cancelChallenge.execute({ challengeId: other, caller: client, origin: ORIGIN })
  store.reportableChallenges.liveOf = async () => [other]

  t.is((await report(true))?.othersEnded, 0)

  t.is(store.events.filter(({ type }) => type === 'challenge-cancelled').length, 2)
})

test('the mail of a user who was erased can still be reported, and who they were is not known', async (t) => {
  const { report, reviewReportedMail, token, eraseUser } = await mailed()
  await eraseUser.execute({ userId: 'alice', clientId: 'crm', origin: ORIGIN })

  t.like(await reviewReportedMail.execute(token), { status: 'cancelled', locale: undefined })
  t.like(await report(), { isFirst: true, statusBefore: 'cancelled', locale: undefined })
})

test('a report that storage does not answer is no token that leads to nothing', async (t) => {
  const { report, store } = await mailed()
  store.stepUps.load = () => Promise.reject(new StorageUnavailable('away'))

  await t.throwsAsync(report(), { instanceOf: StorageUnavailable })
})

test('a token of an unknown code loads no challenge', async (t) => {
  const { reportChallenge, reviewReportedMail, store } = await scenario()
  store.stepUps.load = async (challengeId) => t.fail(`asked for ${challengeId}`)
  const token = `otp.${randomUUID()}`

  t.is(await reportChallenge.execute({ token, endOthers: true, origin: ORIGIN }), undefined)
  t.is(await reviewReportedMail.execute(token), undefined)
})

test('a mail older than a day reports its operation and ends no other, and the page does not offer to', async (t) => {
  const { report, reviewReportedMail, token, open, statusOf, clock } = await mailed()
  clock.pass(86_400)
  const later = await open()

  t.like(await reviewReportedMail.execute(token), { isReported: false, endsOthers: false })
  t.like(await report(true), { isFirst: true, othersEnded: undefined })

  t.is(await statusOf(later), 'pending')
})

test('a mail of the last day that is reported in its last second ends others for a quarter of an hour from then', async (t) => {
  const { report, reviewReportedMail, token, open, clock } = await mailed()
  clock.pass(86_400 - 1)
  t.like(await reviewReportedMail.execute(token), { endsOthers: true })
  await report()
  clock.pass(15 * 60 - 1)
  await open()

  t.like(await report(true), { isFirst: false, othersEnded: 1 })
})

test('forty old mails in wrong hands, one each quarter of an hour, end nothing that their user begins', async (t) => {
  const { reportChallenge, open, issue, deliver, notices, store, clock } = await scenario()
  for (let n = 0; n < 40; n++) {
    await issue(await open())
    await deliver()
    clock.pass(3600)
  }
  const tokens = notices.map(({ reportUrl }) => reportUrl!.split('/').at(-1)!)
  clock.pass(86_400)

  for (const token of tokens) {
    const begun = await open()
    await reportChallenge.execute({ token, endOthers: true, origin: ORIGIN })
    t.is((await store.stepUps.load(begun))!.challenge.status, 'pending')
    clock.pass(15 * 60)
  }
  t.is(tokens.length, 40)
})

test('the link of a lock notice reports the challenge whose wrong code was the last', async (t) => {
  const { open, issue, verify, warn, warnings, reportChallenge, store } = await scenario()
  const challengeId = await open()
  await issue(challengeId)
  for (let n = 0; n < 5; n++) await verify(challengeId, '999999')
  await warn()
  const token = warnings[0]!.reportUrl!.split('/').at(-1)!

  const outcome = await reportChallenge.execute({ token, endOthers: false, origin: ORIGIN })

  t.like(outcome, { challengeId, isFirst: true, statusBefore: 'exhausted' })
  t.like(store.events.at(-1), { type: 'challenge-reported', challengeId, mail: 'lock-notice' })
})

for (const [what, token] of [
  ['of nothing', ''],
  ['that is not ours', 'x'.repeat(41)],
  ['of an unknown code', `otp.${randomUUID()}`],
  ['of an unknown challenge', `lock-notice.${randomUUID()}`],
] as const) {
  test(`a token ${what} leads to nothing, and nothing is stored`, async (t) => {
    const { reportChallenge, reviewReportedMail, store } = await mailed()
    const before = store.events.length

    t.is(await reportChallenge.execute({ token, endOthers: true, origin: ORIGIN }), undefined)
    t.is(await reviewReportedMail.execute(token), undefined)

    t.is(store.events.length, before)
  })
}

test('to look at a reported mail shows its operation and how it stands, and changes nothing', async (t) => {
  const { reviewReportedMail, token, report, challengeId, store, statusOf } = await mailed()
  const before = store.events.length

  t.like(await reviewReportedMail.execute(token), {
    challengeId,
    status: 'pending',
    locale: 'de',
    isReported: false,
  })
  t.deepEqual(await reviewReportedMail.execute(token), await reviewReportedMail.execute(token))
  t.is(store.events.length, before)
  t.is(await statusOf(challengeId), 'pending')

  await report()
  t.like(await reviewReportedMail.execute(token), { status: 'cancelled', isReported: true })
})

test('a forged operation is not shown, and a report ends its challenge as a forgery', async (t) => {
  const { reviewReportedMail, token, report, challengeId, store } = await mailed()
  await store.intruder.rewrite(challengeId, (challenge) => ({
    ...challenge,
    operation: { ...challenge.operation, summary: [{ label: 'Call', value: '555 0100' }] },
  }))

  t.like(await reviewReportedMail.execute(token), { status: 'cancelled', summary: undefined })
  t.like(await report(), { isFirst: true, statusBefore: 'cancelled' })
  t.deepEqual(
    store.events.slice(-2).map((event) => [event.type, 'reason' in event && event.reason]),
    [
      ['challenge-cancelled', 'broken-seal'],
      ['challenge-reported', false],
    ],
  )
})
