import test from 'ava'
import { type QueuedSecurityNotice, SecurityNotice } from '../../src/domain/security-notice.ts'
import { ALICE, NOON } from './examples.ts'

const QUEUED: QueuedSecurityNotice = {
  id: '0197a000-0000-7000-8000-0000000000d1',
  kind: 'address-changed',
  subjectUserId: 'alice',
  recipient: ALICE,
  happenedAt: NOON,
  status: 'queued',
  deliveryAttempts: 1,
  nextAttemptAt: NOON,
}
const ABOUT = { subjectUserId: 'alice', noticeId: QUEUED.id, about: 'address-changed' }
const END = SecurityNotice.endOf(QUEUED)

/** The instant at which a retry would be due at that instant. */
const deferredFor = (dueAt: Date) => {
  const [{ nextAttemptAt }] = SecurityNotice.defer(QUEUED, NOON) as [QueuedSecurityNotice, never]
  const wait = nextAttemptAt.getTime() - NOON.getTime()
  return SecurityNotice.defer(QUEUED, new Date(dueAt.getTime() - wait))
}

test('a notice is news for a day', (t) => {
  t.is(END.getTime() - NOON.getTime(), 86_400_000)
})

test('a notice that the mail system takes later is due again, without an event', (t) => {
  const [outcome, events] = deferredFor(new Date(END.getTime() - 1))

  t.like(outcome, { status: 'queued', nextAttemptAt: new Date(END.getTime() - 1) })
  t.deepEqual(events, [])
})

test('a notice whose next attempt would be at its end, or after it, has failed', (t) => {
  for (const dueAt of [END, new Date(END.getTime() + 1)]) {
    const [outcome, events] = deferredFor(dueAt)

    t.is(outcome.status, 'failed')
    t.false('nextAttemptAt' in outcome)
    t.like(events[0], { type: 'security-notice-failed', ...ABOUT, reason: 'too-late' })
    t.false('reply' in events[0]!)
  }
})

test('the event of a refusal has the reply of the mail system', (t) => {
  const [outcome, events] = SecurityNotice.fail(QUEUED, 'refused', NOON, 'smtp RCPT 550 5.1.1')

  t.like(outcome, { status: 'failed', finishedAt: NOON })
  t.deepEqual(events, [
    { type: 'security-notice-failed', ...ABOUT, at: NOON, reason: 'refused', reply: 'smtp RCPT 550 5.1.1' },
  ] as typeof events)
})

test('a notice that was taken is sent, at that attempt', (t) => {
  const [outcome, events] = SecurityNotice.markSent({ ...QUEUED, deliveryAttempts: 3 }, NOON)

  t.like(outcome, { status: 'sent', finishedAt: NOON, deliveryAttempts: 3 })
  t.deepEqual(events, [{ type: 'security-notice-sent', ...ABOUT, at: NOON, attempt: 3 }] as typeof events)
})
