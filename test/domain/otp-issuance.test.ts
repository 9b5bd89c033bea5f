import { randomUUID } from 'node:crypto'
import test from 'ava'
import { idInBucketOf } from '../../src/domain/bucket.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { IssuanceTooSoon, OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { ALICE, afterNoon, demand, NOON, openChallenge, POLICY } from './examples.ts'

const challenge = Challenge.countIssuance(openChallenge(), NOON)
const queued = { ...OtpIssuance.queue(demand(), challenge, POLICY, NOON), deliveryAttempts: 1 }

test('an issuance starts queued, due at once, to the recipient of its demand', (t) => {
  const issuance = OtpIssuance.queue(demand(), challenge, POLICY, NOON)

  t.like(issuance, {
    status: 'queued',
    number: 1,
    deliveryAttempts: 0,
    nextAttemptAt: NOON,
    recipient: ALICE,
  })
})

test('a code lives its lifetime, and not a millisecond longer', (t) => {
  t.true(OtpIssuance.isAlive(queued, challenge, afterNoon(299.999)))
  t.false(OtpIssuance.isAlive(queued, challenge, afterNoon(300)))
})

test('a code does not outlive its challenge', (t) => {
  const late = OtpIssuance.queue(demand(), challenge, POLICY, afterNoon(800))

  t.deepEqual(late.expiresAt, challenge.expiresAt)
})

test('a code dies when a newer one is issued', (t) => {
  const again = Challenge.countIssuance(challenge, afterNoon(60))

  t.false(OtpIssuance.isAlive(queued, again, afterNoon(60)))
})

test('a code does not count for another challenge', (t) => {
  const other = { ...challenge, id: '0197a000-0000-7000-8000-0000000000c2' }

  t.false(OtpIssuance.isAlive(queued, other, NOON))
})

test('the next code waits for the end of the cooldown, and not a millisecond longer', (t) => {
  const error = t.throws(() => OtpIssuance.assertCooledDown(queued, POLICY, afterNoon(29.999)), {
    instanceOf: IssuanceTooSoon,
    code: 'issuance-too-soon',
  })

  t.is(error.retryAfterInSeconds, 1)
  t.notThrows(() => OtpIssuance.assertCooledDown(queued, POLICY, afterNoon(30)))
})

test('each code doubles the wait for the next one, up to the lifetime of a code', (t) => {
  const waits = [1, 2, 3, 4, 5, 6].map(
    (number) => OtpIssuance.resendAvailableAt({ ...queued, number }, POLICY).getTime() - NOON.getTime(),
  )

  t.deepEqual(waits, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000])
})

test('a cooldown that is longer than a code lives stays as it was set', (t) => {
  const policy = { ...POLICY, resendCooldownInSeconds: 400 }

  t.deepEqual(OtpIssuance.resendAvailableAt({ ...queued, number: 3 }, policy), afterNoon(400))
})

test('a reference follows from the id of the challenge, without its bucket, and from the number', (t) => {
  const reference = (challengeId: string, number: number) =>
    OtpIssuance.reference({ challengeId, subjectUserId: 'alice', number })

  t.is(reference('0197a000-0000-7000-8000-0000000c12bd', 1), 'UC')
  t.is(reference('0197a000-0000-7000-8000-0000000c12bd', 2), 'ED')
  t.is(reference('0197a000-0000-7000-8000-0000000c22bd', 1), 'UD')
  t.is(reference('0197a0ff-0000-7000-8000-0000000c12bd', 1), 'UC')
})

test('the marks of the challenges of one subject spread over all pairs of letters', (t) => {
  const marks = Array.from({ length: 20_000 }, () =>
    OtpIssuance.reference({
      challengeId: idInBucketOf('alice', randomUUID()),
      subjectUserId: 'alice',
      number: 1,
    }),
  )

  t.is(new Set(marks).size, 576)
})

test('a reference of an id from before the buckets is what it was', (t) => {
  const reference = (challengeId: string, number: number) =>
    OtpIssuance.reference({ challengeId, subjectUserId: 'alice', number })

  t.is(reference('0197a000-0000-7000-8000-0000000000c1', 1), 'UC')
  t.is(reference('0197a000-0000-7000-8000-0000000000c1', 2), 'ED')
  t.is(reference('0197a000-0000-7000-8000-0000000000c2', 1), 'UD')
  t.is(reference('0197a0ff-0000-7000-8000-0000000000c1', 1), 'UC')
})

test('the references of a challenge are two letters each and all different', (t) => {
  const references = Array.from({ length: 100 }, (_, index) =>
    OtpIssuance.reference({ challengeId: challenge.id, subjectUserId: 'alice', number: index + 1 }),
  )

  t.is(new Set(references).size, 100)
  t.true(references.every((reference) => /^[A-HJ-NP-Z]{2}$/.test(reference)))
})

test('a hand-over makes the issuance sent', (t) => {
  const [sent, event] = OtpIssuance.markSent(queued, 'm-1', afterNoon(2))

  t.like(sent, { status: 'sent', sentAt: afterNoon(2), messageId: 'm-1' })
  t.false('nextAttemptAt' in sent)
  t.like(event, { type: 'otp-sent', attempt: 1 })
})

for (const [attempt, wait] of [
  [1, 1],
  [2, 2],
  [3, 4],
  [6, 30],
  [60, 30],
] as const) {
  test(`attempt ${attempt} that fails is followed by another ${wait} s later`, (t) => {
    const [deferred] = OtpIssuance.defer({ ...queued, deliveryAttempts: attempt }, afterNoon(10))

    t.like(deferred, { status: 'queued', nextAttemptAt: afterNoon(10 + wait) })
  })
}

test('a delivery is given up when its next attempt would come at the end of the code', (t) => {
  const [early] = OtpIssuance.defer(queued, afterNoon(298.999))
  const [late, event] = OtpIssuance.defer(queued, afterNoon(299))

  t.is(early.status, 'queued')
  t.like(late, { status: 'failed', reason: 'code-expired', failedAt: afterNoon(299) })
  t.like(event, { type: 'otp-failed', reason: 'code-expired' })
})

test('the event of a mail that will never be sent has the reply of the mail system, if it gave one', (t) => {
  const about = { challengeId: challenge.id, subjectUserId: 'alice', issuanceId: queued.id, at: NOON }

  const [, answered] = OtpIssuance.fail(queued, 'refused', NOON, 'smtp RCPT 550')
  const [, withheld] = OtpIssuance.fail(queued, 'superseded', NOON)

  t.deepEqual(answered, { type: 'otp-failed', ...about, reason: 'refused', reply: 'smtp RCPT 550' })
  t.deepEqual(withheld, { type: 'otp-failed', ...about, reason: 'superseded' })
})

for (const report of [
  { outcome: 'delayed', at: NOON },
  { outcome: 'delivered', at: NOON },
  { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
] as const) {
  test(`a mail that is reported as ${report.outcome} again is as it was, and leaves no event`, (t) => {
    const [reported] = OtpIssuance.report(queued, report)

    const [again, events] = OtpIssuance.report(reported, { ...report, at: afterNoon(1) })

    t.is(again, reported)
    t.deepEqual(events, [])
  })
}

test('the mail of a live code is not withheld', (t) => {
  t.is(OtpIssuance.reasonToWithhold(queued, challenge, afterNoon(299.999)), undefined)
})

test('a mail is withheld when its challenge is over, its code superseded or expired', (t) => {
  const [cancelled] = Challenge.cancel(challenge, 'email-address-changed', NOON)
  const [verified] = Challenge.verify(challenge, queued.id, NOON)
  const again = Challenge.countIssuance(challenge, afterNoon(60))

  t.is(OtpIssuance.reasonToWithhold(queued, cancelled, NOON), 'challenge-over')
  t.is(OtpIssuance.reasonToWithhold(queued, verified, NOON), 'challenge-over')
  t.is(OtpIssuance.reasonToWithhold(queued, challenge, afterNoon(900)), 'challenge-over')
  t.is(OtpIssuance.reasonToWithhold(queued, again, afterNoon(60)), 'superseded')
  t.is(OtpIssuance.reasonToWithhold(queued, challenge, afterNoon(300)), 'code-expired')
})
