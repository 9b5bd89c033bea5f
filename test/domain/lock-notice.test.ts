import test from 'ava'
import { LockNotice } from '../../src/domain/lock-notice.ts'
import { ALICE, afterNoon, NOON, openChallenge } from './examples.ts'

const UNTIL = afterNoon(900)
const queued = { ...LockNotice.queue('n1', ALICE, openChallenge(), UNTIL, NOON), deliveryAttempts: 1 }

test('a notice starts queued, due at once, about the challenge that locked its subject', (t) => {
  const { id: challengeId, subjectUserId } = openChallenge()

  t.deepEqual(LockNotice.queue('n1', ALICE, openChallenge(), UNTIL, NOON), {
    status: 'queued',
    ...{ id: 'n1', challengeId, subjectUserId, recipient: ALICE, lockedAt: NOON, lockedUntil: UNTIL },
    deliveryAttempts: 0,
    nextAttemptAt: NOON,
  })
})

test('a notice has something to warn of until its lock ends', (t) => {
  t.false(LockNotice.isOver(queued, afterNoon(899.999)))
  t.true(LockNotice.isOver(queued, UNTIL))
})

test('a hand-over makes the notice sent', (t) => {
  const [sent, events] = LockNotice.markSent(queued, 'm-1', afterNoon(2))

  t.like(sent, { status: 'sent', sentAt: afterNoon(2), messageId: 'm-1' })
  t.false('nextAttemptAt' in sent)
  t.like(events, [{ type: 'lock-notice-sent', noticeId: 'n1', attempt: 1, at: afterNoon(2) }])
  t.is(events.length, 1)
})

for (const [attempt, wait] of [
  [1, 1],
  [2, 2],
  [3, 4],
  [6, 30],
  [3000, 30],
] as const) {
  test(`attempt ${attempt} that fails is followed by another ${wait} s later, and leaves no event`, (t) => {
    const [deferred, events] = LockNotice.defer({ ...queued, deliveryAttempts: attempt }, afterNoon(10))

    t.like(deferred, { status: 'queued', nextAttemptAt: afterNoon(10 + wait) })
    t.deepEqual(events, [])
  })
}

test('a notice is given up when its next attempt would come at the end of the lock', (t) => {
  const [early] = LockNotice.defer(queued, afterNoon(898.999))
  const [late, events] = LockNotice.defer(queued, afterNoon(899))

  t.is(early.status, 'queued')
  t.like(late, { status: 'failed', reason: 'lock-over', failedAt: afterNoon(899) })
  t.like(events, [{ type: 'lock-notice-failed', noticeId: 'n1', reason: 'lock-over' }])
})

test('the event of a refusal has the reply of the mail system, if it gave one', (t) => {
  const { challengeId, subjectUserId } = queued
  const event = { type: 'lock-notice-failed', challengeId, subjectUserId, noticeId: 'n1', at: NOON } as const

  const [, answered] = LockNotice.fail(queued, 'refused', NOON, 'smtp RCPT 550')
  const [, silent] = LockNotice.fail(queued, 'lock-over', NOON)

  t.deepEqual(answered, [{ ...event, reason: 'refused', reply: 'smtp RCPT 550' }])
  t.deepEqual(silent, [{ ...event, reason: 'lock-over' }])
})

test('no event of a notice says where it goes', (t) => {
  const [, sent] = LockNotice.markSent(queued, 'm-1', NOON)
  const [, failed] = LockNotice.fail(queued, 'refused', NOON)

  t.false(JSON.stringify([sent, failed]).includes(ALICE))
})
