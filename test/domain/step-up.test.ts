import test from 'ava'
import { Challenge, ChallengeOver } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { IssuanceTooSoon } from '../../src/domain/otp-issuance.ts'
import { StepUp, type StepUpDecision } from '../../src/domain/step-up.ts'
import { IssuancesSpent, SubjectLocked, SubjectStanding } from '../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, demand, freshStepUp, NOON, noticeDemand, POLICY } from './examples.ts'

/** What the next load would give after `decision` was saved. */
const after = (stepUp: StepUp, decision: StepUpDecision): StepUp => ({
  challenge: decision.challenge,
  issuance: decision.issued ?? stepUp.issuance,
  standing: decision.standing,
})
const issue = (stepUp: StepUp, now = NOON, policy = POLICY) =>
  after(stepUp, StepUp.issueOtp(stepUp, demand(stepUp.challenge.issuanceCount + 1), policy, now))
const verify = (stepUp: StepUp, codeMatches: boolean, now = NOON, policy = POLICY) => {
  const [decision, verdict] = StepUp.verifyOtp(stepUp, () => codeMatches, noticeDemand(), policy, now)
  const events = decision.events.map(({ type }) => type)
  return { ...after(stepUp, decision), verdict, events, lockNotice: decision.lockNotice }
}

test('an issuance counts against the challenge and against the subject', (t) => {
  const decision = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)

  t.is(decision.challenge.issuanceCount, 1)
  t.deepEqual(decision.standing.recentIssuances, [NOON])
  t.like(decision.issued, { status: 'queued', number: 1 })
  t.deepEqual(
    decision.events.map(({ type }) => type),
    ['otp-issued'],
  )
})

test('the first code of a subject in an hour has half as many places of a mailbox more, and the next ones have not', (t) => {
  const most = (stepUp: StepUp, at: number, mailboxMaxIssuancesPerHour: number) =>
    StepUp.issueOtp(stepUp, demand(), { ...POLICY, mailboxMaxIssuancesPerHour }, afterNoon(at)).mailbox
      ?.atMost
  const { standing } = issue(freshStepUp())
  const next = { ...freshStepUp(), standing }

  t.is(most(freshStepUp(), 0, 40), 60)
  t.is(most(freshStepUp(), 0, 1), 2)
  t.is(most(next, 1, 40), 40)
  const longLived = { ...next, challenge: { ...next.challenge, expiresAt: afterNoon(86_400) } }
  t.is(most(longLived, 3599, 40), 40)
  t.is(most(longLived, 3600, 40), 60)
})

test('a second issuance within the cooldown is refused', (t) => {
  t.throws(() => issue(issue(freshStepUp()), afterNoon(29)), { instanceOf: IssuanceTooSoon })
})

test('a challenge takes its issuances and no more, and says when it is over', (t) => {
  const policy = { ...POLICY, maxIssuances: 2 }
  const twice = issue(issue(freshStepUp(), NOON, policy), afterNoon(30), policy)

  const error = t.throws(() => issue(twice, afterNoon(90), policy), { instanceOf: IssuancesSpent })
  t.is(error.retryAfterInSeconds, 810)
})

test('the right code verifies the challenge and clears the standing', (t) => {
  const issued = issue(freshStepUp())
  const failed = verify(issued, false)
  const verified = verify(failed, true)

  t.is(verified.verdict.outcome, 'verified')
  t.is(verified.challenge.status, 'verified')
  t.is(verified.standing.consecutiveFailures, 0)
  t.deepEqual(verified.events, ['challenge-verified'])
})

test('a wrong code is told how many guesses are left and when the context ends', (t) => {
  const { verdict } = verify(issue(freshStepUp()), false, afterNoon(100))

  t.deepEqual(verdict, { outcome: 'rejected', attemptsRemaining: 4, contextEndsInSeconds: 800 })
})

test('guesses left are the fewer of what challenge and subject allow', (t) => {
  const standing = { ...SubjectStanding.blank('alice'), consecutiveFailures: 2 }
  const { verdict } = verify({ ...issue(freshStepUp()), standing }, false)

  t.like(verdict, { attemptsRemaining: 2 })
})

test('the failure that locks the subject says so and leaves no guess', (t) => {
  const standing = { ...SubjectStanding.blank('alice'), consecutiveFailures: 4 }
  const locked = verify({ ...issue(freshStepUp()), standing }, false)

  t.like(locked.verdict, { attemptsRemaining: 0 })
  t.is(locked.challenge.status, 'pending')
  t.deepEqual(locked.events, ['otp-rejected', 'subject-locked'])
})

const atTheBrink = { ...SubjectStanding.blank('alice'), consecutiveFailures: 4 }
const BEFORE = EmailAddress.parse('alice@before.example')

test('the failure that locks the subject queues a notice of it, until when the lock lasts', (t) => {
  const { lockNotice, standing, challenge } = verify({ ...issue(freshStepUp()), standing: atTheBrink }, false)

  t.deepEqual(lockNotice, {
    status: 'queued',
    id: noticeDemand().id,
    recipient: ALICE,
    challengeId: challenge.id,
    subjectUserId: 'alice',
    lockedAt: NOON,
    lockedUntil: standing.lockedUntil!,
    deliveryAttempts: 0,
    nextAttemptAt: NOON,
  })
})

test('no failure before, no right code, and no end of a challenge queues a notice', (t) => {
  const issued = issue(freshStepUp())
  const short = { ...freshStepUp({ ...POLICY, maxAttempts: 1 }), issuance: issued.issuance }

  for (let failures = 0; failures < 4; failures++) {
    const standing = { ...atTheBrink, consecutiveFailures: failures }
    t.is(verify({ ...issued, standing }, false).lockNotice, undefined)
  }
  t.is(verify({ ...issued, standing: atTheBrink }, true).lockNotice, undefined)
  t.is(verify(short, false).challenge.status, 'exhausted')
  t.is(verify(short, false).lockNotice, undefined)
})

test('a second lock queues a second notice', (t) => {
  const standing = { ...atTheBrink, consecutiveLocks: 1, lockedUntil: NOON }
  const { lockNotice } = verify({ ...issue(freshStepUp()), standing: atTheBrink }, false)
  const again = verify({ ...issue(freshStepUp()), standing }, false).lockNotice

  t.deepEqual([lockNotice?.lockedUntil, again?.lockedUntil], [afterNoon(900), afterNoon(1800)])
})

test('a failure after a lock has ended is one like any other', (t) => {
  const standing = { ...SubjectStanding.blank('alice'), consecutiveLocks: 1, lockedUntil: NOON }
  const failed = verify({ ...issue(freshStepUp()), standing }, false)

  t.deepEqual(failed.events, ['otp-rejected'])
  t.is(failed.lockNotice, undefined)
})

test('a subject without an entry in the directory is warned where the last code went, if one did', (t) => {
  const brink = { ...freshStepUp(), standing: atTheBrink }
  const issued = { ...issue(freshStepUp()), standing: atTheBrink }
  const lock = (stepUp: StepUp, address: EmailAddress | undefined) =>
    StepUp.verifyOtp(stepUp, () => false, { id: 'n1', address }, POLICY, NOON)[0]

  t.is(lock(issued, BEFORE).lockNotice?.recipient, BEFORE)
  t.is(lock(issued, undefined).lockNotice?.recipient, ALICE)
  t.false('lockNotice' in lock(brink, undefined))
  t.true(lock(brink, undefined).events.some(({ type }) => type === 'subject-locked'))
})

test('no notice goes to an address that is suppressed, and none to another instead of it', (t) => {
  const suppression = { address: ALICE, reason: 'hard-bounce', at: NOON } as const
  const issued = { ...issue(freshStepUp()), standing: { ...atTheBrink, suppression } }

  t.is(verify(issued, false).lockNotice, undefined)
  t.deepEqual(verify(issued, false).standing.lockedUntil, afterNoon(900))
  const moved = { ...issued, standing: { ...atTheBrink, suppression: { ...suppression, address: BEFORE } } }
  t.is(verify(moved, false).lockNotice?.recipient, ALICE)
})

test('a locked subject can neither get nor give a code, not even the right one', (t) => {
  const standing = { ...SubjectStanding.blank('alice'), lockedUntil: afterNoon(10) }
  const locked = { ...issue(freshStepUp()), standing }

  t.throws(() => verify(locked, true, afterNoon(9.999)), { instanceOf: SubjectLocked })
  t.throws(() => issue({ ...freshStepUp(), standing }, afterNoon(9.999)), { instanceOf: SubjectLocked })
  t.is(verify(locked, true, afterNoon(10)).verdict.outcome, 'verified')
})

test('without a code that counts nobody asks whether the code matches, and an attempt is spent', (t) => {
  const asked = () => t.fail('asked')
  const none = freshStepUp()
  const expired = issue(none)

  for (const [stepUp, now] of [
    [none, NOON],
    [expired, afterNoon(300)],
  ] as const) {
    const [decision, verdict] = StepUp.verifyOtp(stepUp, () => asked() as never, noticeDemand(), POLICY, now)
    t.is(verdict.outcome, 'rejected')
    t.is(decision.challenge.attemptsRemaining, 4)
  }
})

test('a challenge that is over is over before any limit is looked at', (t) => {
  const standing = { ...SubjectStanding.blank('alice'), lockedUntil: afterNoon(2000) }
  const stepUp = { ...freshStepUp(), standing }

  t.throws(() => issue(stepUp, afterNoon(900)), { instanceOf: ChallengeOver })
  t.throws(() => verify(stepUp, true, afterNoon(900)), { instanceOf: ChallengeOver })
})

test('the next issuance is announced for the end of the cooldown', (t) => {
  t.deepEqual(StepUp.nextIssuanceAt(issue(freshStepUp()), POLICY, afterNoon(1)), afterNoon(30))
})

test('the next issuance is announced for the end of a lock or of a spent hour, whichever is last', (t) => {
  const policy = { ...POLICY, subjectMaxIssuancesPerHour: 1 }
  const issued = issue(freshStepUp())
  const long = { ...issued, challenge: { ...issued.challenge, expiresAt: afterNoon(9000) } }
  const locked = { ...long, standing: { ...long.standing, lockedUntil: afterNoon(4000) } }

  t.deepEqual(StepUp.nextIssuanceAt(long, policy, afterNoon(1)), afterNoon(3600))
  t.deepEqual(StepUp.nextIssuanceAt(locked, policy, afterNoon(1)), afterNoon(4000))
  const briefly = { ...long, standing: { ...long.standing, lockedUntil: afterNoon(3000) } }
  t.deepEqual(StepUp.nextIssuanceAt(briefly, policy, afterNoon(1)), afterNoon(3600))
})

test('no next issuance is announced that the challenge would not live to see, or has no right to', (t) => {
  const issued = issue(freshStepUp())
  const [verified] = Challenge.verify(issued.challenge, 'i1', NOON)
  const locked = { ...issued.standing, lockedUntil: afterNoon(900) }

  t.is(StepUp.nextIssuanceAt({ ...issued, challenge: verified }, POLICY, NOON), undefined)
  t.is(StepUp.nextIssuanceAt({ ...issued, standing: locked }, POLICY, NOON), undefined)
  t.is(StepUp.nextIssuanceAt(issued, { ...POLICY, maxIssuances: 1 }, NOON), undefined)
})

const at = (email: EmailAddress) => ({ user: { userId: 'alice', email } })
const MOVED = at(EmailAddress.parse('alice@elsewhere.example'))
const without = (because: 'absent' | 'disabled' | 'no-address') => ({ user: undefined, because })

test('a live challenge is cancelled once its user has moved from where the code went, verified or not', (t) => {
  const issued = issue(freshStepUp())
  const [verified] = Challenge.verify(issued.challenge, 'i1', NOON)

  for (const stepUp of [issued, { ...issued, challenge: verified }]) {
    const { challenge, standing } = stepUp
    const [cancelled, event] = Challenge.cancel(challenge, 'email-address-changed', afterNoon(10))
    t.deepEqual(StepUp.cancelIfUnsound(stepUp, MOVED, afterNoon(10)), {
      challenge: cancelled,
      standing,
      securityNotice: {
        ...{ kind: 'address-changed', clientId: 'payments', subjectUserId: 'alice', recipient: ALICE },
        happenedAt: afterNoon(10),
      },
      events: [event],
    })
  }
})

test('where the code went hears that its user has moved, unless no mail may go there', (t) => {
  const issued = issue(freshStepUp())
  const suppression = { address: ALICE, reason: 'hard-bounce', at: NOON } as const
  const moved = { user: { ...MOVED.user, locale: 'de' } }

  t.like(StepUp.cancelIfUnsound(issued, moved, NOON)?.securityNotice, { recipient: ALICE, locale: 'de' })
  const { standing } = issued
  const suppressed = { ...issued, standing: { ...standing, suppression } }
  t.false('securityNotice' in StepUp.cancelIfUnsound(suppressed, moved, NOON)!)
  t.false('securityNotice' in StepUp.cancelIfUnsound({ ...issued, forgery: 'unsealed' }, moved, NOON)!)
})

test('a user who has moved at the deadline ends nothing, and a millisecond before does', (t) => {
  const issued = issue(freshStepUp())

  t.is(StepUp.cancelIfUnsound(issued, MOVED, afterNoon(900)), undefined)
  t.is(StepUp.cancelIfUnsound(issued, MOVED, afterNoon(899.999))?.challenge.status, 'cancelled')
})

test('nothing is cancelled while the address is the same, or no code was sent to any', (t) => {
  const issued = issue(freshStepUp())
  const [cancelled] = Challenge.cancel(issued.challenge, 'by-client', NOON)

  t.is(StepUp.cancelIfUnsound(issued, at(ALICE), NOON), undefined)
  t.is(StepUp.cancelIfUnsound(issued, at(inUpperCase(ALICE)), NOON), undefined)
  t.is(StepUp.cancelIfUnsound(freshStepUp(), without('no-address'), NOON), undefined)
  t.is(StepUp.cancelIfUnsound(freshStepUp(), MOVED, NOON), undefined)
  t.is(StepUp.cancelIfUnsound({ ...issued, challenge: cancelled }, MOVED, NOON), undefined)
})

for (const because of ['absent', 'disabled', 'no-address'] as const) {
  test(`a live challenge with a code ends if its user is ${because}, verified or not, and not at its deadline`, (t) => {
    const issued = issue(freshStepUp())
    const [verified] = Challenge.verify(issued.challenge, 'i1', NOON)

    for (const stepUp of [issued, { ...issued, challenge: verified }]) {
      const [cancelled, event] = Challenge.cancel(stepUp.challenge, 'user-gone', afterNoon(10))
      t.deepEqual(StepUp.cancelIfUnsound(stepUp, without(because), afterNoon(10)), {
        challenge: cancelled,
        standing: stepUp.standing,
        events: [event],
      })
      t.is(StepUp.cancelIfUnsound(stepUp, without(because), afterNoon(900)), undefined)
    }
  })
}

test('a challenge without a code ends if its user is absent or disabled', (t) => {
  for (const because of ['absent', 'disabled'] as const) {
    t.is(StepUp.cancelIfUnsound(freshStepUp(), without(because), NOON)?.challenge.status, 'cancelled')
  }
})

/** The address with its domain in upper case: the same mailbox. */
function inUpperCase(address: EmailAddress): EmailAddress {
  return EmailAddress.parse(address.replace(/@.*/, (domain) => domain.toUpperCase()))
}
