import test from 'ava'
import { IssuancesSpent, SubjectLocked, SubjectStanding } from '../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, NOON, POLICY } from './examples.ts'

const blank = SubjectStanding.blank('alice')
const failTimes = (times: number, standing = blank, now = NOON) =>
  Array.from({ length: times }).reduce<SubjectStanding>((s) => SubjectStanding.fail(s, POLICY, now), standing)

test('the last failure allowed in a row locks the subject, and not the one before', (t) => {
  t.false(SubjectStanding.isLocked(failTimes(4), NOON))
  t.true(SubjectStanding.isLocked(failTimes(5), NOON))
})

test('a lock ends by itself, to the millisecond', (t) => {
  const locked = failTimes(5)

  const error = t.throws(() => SubjectStanding.assertNotLocked(locked, afterNoon(899.999)), {
    instanceOf: SubjectLocked,
    code: 'subject-locked',
  })
  t.is(error.retryAfterInSeconds, 1)
  t.notThrows(() => SubjectStanding.assertNotLocked(locked, afterNoon(900)))
})

test('each lock without a success in between is twice as long, up to a day', (t) => {
  const lengths: number[] = []
  let standing = blank
  let now = NOON
  for (let lock = 0; lock < 9; lock++) {
    standing = failTimes(5, standing, now)
    lengths.push((standing.lockedUntil!.getTime() - now.getTime()) / 1000)
    now = standing.lockedUntil!
  }

  t.deepEqual(lengths, [900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400])
})

test('a success clears failures and locks', (t) => {
  const cleared = SubjectStanding.succeed(failTimes(4, failTimes(5), afterNoon(900)))

  t.like(cleared, { consecutiveFailures: 0, consecutiveLocks: 0, lockedUntil: undefined })
  t.deepEqual(failTimes(5, cleared, afterNoon(2000)).lockedUntil, afterNoon(2900))
})

test('a locked subject has no guess left, and at least one otherwise', (t) => {
  t.is(SubjectStanding.attemptsRemaining(blank, POLICY, NOON), 5)
  t.is(SubjectStanding.attemptsRemaining(failTimes(4), POLICY, NOON), 1)
  t.is(SubjectStanding.attemptsRemaining(failTimes(5), POLICY, NOON), 0)
})

test('a subject gets its hourly issuances and no more until the oldest is an hour old', (t) => {
  const policy = { ...POLICY, subjectMaxIssuancesPerHour: 2 }
  const once = SubjectStanding.countIssuance(blank, policy, NOON)
  const twice = SubjectStanding.countIssuance(once, policy, afterNoon(600))

  const error = t.throws(() => SubjectStanding.countIssuance(twice, policy, afterNoon(3599.999)), {
    instanceOf: IssuancesSpent,
    code: 'issuances-spent',
  })
  t.is(error.retryAfterInSeconds, 1)
  const thrice = SubjectStanding.countIssuance(twice, policy, afterNoon(3600))
  t.deepEqual(thrice.recentIssuances, [afterNoon(600), afterNoon(3600)])
})

test('neither failure nor success touches the count of issuances', (t) => {
  const issued = SubjectStanding.countIssuance(blank, POLICY, NOON)

  t.deepEqual(SubjectStanding.succeed(failTimes(5, issued)).recentIssuances, [NOON])
})

test('an unlocking ends a lock alone: failures, locks and mails still count', (t) => {
  const issued = SubjectStanding.countIssuance(blank, POLICY, NOON)
  const locked = failTimes(5, failTimes(5, issued), afterNoon(900))

  const unlocking = SubjectStanding.unlock(locked, { email: ALICE, locale: 'de' }, afterNoon(901))

  t.deepEqual(unlocking, {
    standing: { ...locked, lockedUntil: undefined },
    notice: {
      ...{ kind: 'subject-unlocked', subjectUserId: 'alice', recipient: ALICE, locale: 'de' },
      happenedAt: afterNoon(901),
    },
    event: {
      type: 'subject-unlocked',
      subjectUserId: 'alice',
      at: afterNoon(901),
      until: locked.lockedUntil,
    },
  })
  t.is(unlocking?.standing.consecutiveLocks, 2)
})

test('a lock that is over, to the millisecond, is no lock that could be ended', (t) => {
  const locked = failTimes(5)

  t.truthy(SubjectStanding.unlock(locked, undefined, afterNoon(899.999)))
  t.is(SubjectStanding.unlock(locked, undefined, afterNoon(900)), undefined)
  t.is(SubjectStanding.unlock(blank, { email: ALICE }, NOON), undefined)
})

test('a user whose language is unknown hears of an unlocking in none', (t) => {
  t.deepEqual(SubjectStanding.unlock(failTimes(5), { email: ALICE, locale: undefined }, NOON)?.notice, {
    ...{ kind: 'subject-unlocked', subjectUserId: 'alice', recipient: ALICE, happenedAt: NOON },
  })
})

test('nobody is told of an unlocking at an address that gets no mail, or without one', (t) => {
  const suppression = { address: ALICE, reason: 'hard-bounce', at: NOON } as const
  const locked = SubjectStanding.suppress(failTimes(5), suppression)

  t.is(SubjectStanding.unlock(locked, { email: ALICE }, NOON)?.notice, undefined)
  t.is(SubjectStanding.unlock(failTimes(5), undefined, NOON)?.notice, undefined)
})
