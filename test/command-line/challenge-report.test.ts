import test from 'ava'
import { ReviewChallenge } from '../../src/application/challenges/review-challenge.ts'
import {
  challengeReport,
  challengeText,
  purgedReport,
  purgedText,
} from '../../src/command-line/challenge-report.ts'
import { scenario } from '../application/scenario.ts'
import { POLICY } from '../domain/examples.ts'

/** A challenge whose mail was delivered, with one wrong code and then the right one. */
async function verifiedChallenge() {
  const world = await scenario()
  const id = await world.open()
  await world.issue(id)
  world.clock.pass(1)
  await world.deliver()
  await world.verify(id, '000000')
  const code = world.notices[0]!.code
  world.clock.pass(29)
  await world.verify(id, code)
  const review = await new ReviewChallenge(
    world.store.stepUps,
    world.store.trail,
    world.clock,
    POLICY,
  ).execute(id)
  return { id, code, report: challengeReport(review, POLICY) }
}

test('the report tells status, budgets, the fate of the mail and what happened, by whom', async (t) => {
  const { id, report } = await verifiedChallenge()

  t.like(report, { challengeId: id, status: 'verified', clientId: 'payments', subjectUserId: 'alice' })
  t.like(report.budgets, { attemptsRemaining: 4, attemptsRemainingOfSubject: 5, issuancesRemaining: 4 })
  t.like(report.issuance, { number: 1, recipient: 'a•••@example.com', delivery: 'sent', deliveryAttempts: 1 })
  t.deepEqual(
    report.events.map(({ type, actor }) => [type, actor]),
    [
      ['challenge-opened', 'client:payments'],
      ['otp-issued', 'user:alice'],
      ['otp-sent', 'service'],
      ['otp-rejected', 'user:alice'],
      ['challenge-verified', 'user:alice'],
    ],
  )
})

test('the text has a line for everything, its columns one under the other', async (t) => {
  const { id, report } = await verifiedChallenge()

  const lines = challengeText(report).split('\n')

  t.is(lines[0], `Challenge ${id}`)
  for (const line of [
    /^ {2}status {8}verified$/,
    /^ {2}guesses left {2}4, of the subject 5$/,
    /^ {2}codes left {4}4, next never$/,
    /^ {2}mail {10}sent to a•••@example\.com after 1 attempt$/,
    /^ {16}sent 2030-01-01T12:00:01\.000Z/,
    /^ {2}2030-01-01T12:00:01\.000Z {2}otp-rejected {8}user:alice {7}attemptsRemaining=4 request=r$/,
    /^ {2}2030-01-01T12:00:30\.000Z {2}challenge-verified {2}user:alice {7}issuanceId=/,
  ]) {
    t.true(
      lines.some((each) => line.test(each)),
      `${line}\n${lines.join('\n')}`,
    )
  }
})

test('neither report nor text holds a code, an address or what the operation says', async (t) => {
  const { code, report } = await verifiedChallenge()

  const all = `${JSON.stringify(report)}\n${challengeText(report)}`

  t.false(all.includes(code), code)
  for (const secret of ['alice@', 'ACME', '1,250.00']) t.false(all.includes(secret), secret)
})

test('of a challenge that is past its retention the events are left', async (t) => {
  const { open, store, clock } = await scenario()
  const id = await open()
  const { events } = await new ReviewChallenge(store.stepUps, store.trail, clock, POLICY).execute(id)
  const report = purgedReport(id, [events[0]!])

  t.like(report, { challengeId: id, status: 'purged', subjectUserId: 'alice' })
  t.regex(
    purgedText(report),
    /^ {2}status {3}purged: .*\n {2}subject {2}alice\n\n {2}\S+ {2}challenge-opened /m,
  )
})

test('a challenge without a code says so', async (t) => {
  const { open, store, clock } = await scenario()
  const review = await new ReviewChallenge(store.stepUps, store.trail, clock, POLICY).execute(await open())
  const report = challengeReport(review, POLICY)

  t.is(report.issuance, null)
  t.regex(challengeText(report), /^ {2}newest code {3}none$/m)
})
