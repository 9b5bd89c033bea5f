import test from 'ava'
import { Challenge, ChallengeNotVerified, ChallengeOver } from '../../src/domain/challenge.ts'
import { afterNoon, NOON, openChallenge, POLICY, TRANSFER } from './examples.ts'

const over = { instanceOf: ChallengeOver }

test('a challenge opens pending, with all its attempts and no issuance', (t) => {
  const [challenge, event] = Challenge.open(
    { id: 'c1', clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    POLICY,
    NOON,
  )

  t.like(challenge, { status: 'pending', attemptsRemaining: 5, issuanceCount: 0, createdAt: NOON })
  t.deepEqual(challenge.expiresAt, afterNoon(900))
  t.like(event, {
    type: 'challenge-opened',
    challengeId: 'c1',
    clientId: 'payments',
    operationType: 'payments.initiate',
  })
})

test('a challenge lives as long as its operation service says', (t) => {
  const [challenge] = Challenge.open(
    { id: 'c1', clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER, lifetimeInSeconds: 60 },
    POLICY,
    NOON,
  )

  t.deepEqual(challenge.expiresAt, afterNoon(60))
})

test('a challenge is expired at its deadline, and not a millisecond before', (t) => {
  const challenge = openChallenge()

  t.is(Challenge.statusAt(challenge, afterNoon(899.999)), 'pending')
  t.is(Challenge.statusAt(challenge, afterNoon(900)), 'expired')
})

test('a verified challenge expires as well', (t) => {
  const [verified] = Challenge.verify(openChallenge(), 'i1', NOON)

  t.is(Challenge.statusAt(verified, afterNoon(899.999)), 'verified')
  t.is(Challenge.statusAt(verified, afterNoon(900)), 'expired')
})

test('a rejection spends one attempt', (t) => {
  const [challenge, events] = Challenge.reject(openChallenge(), NOON)

  t.like(challenge, { status: 'pending', attemptsRemaining: 4 })
  t.deepEqual(
    events.map(({ type }) => type),
    ['otp-rejected'],
  )
})

test('the last rejection exhausts the challenge', (t) => {
  const [challenge, events] = Challenge.reject(openChallenge({ ...POLICY, maxAttempts: 1 }), NOON)

  t.like(challenge, { status: 'exhausted', attemptsRemaining: 0, exhaustedAt: NOON })
  t.deepEqual(
    events.map(({ type }) => type),
    ['otp-rejected', 'challenge-exhausted'],
  )
})

test('a verified challenge can be cancelled, and forgets that it was verified', (t) => {
  const [verified] = Challenge.verify(openChallenge(), 'i1', NOON)
  const [cancelled, event] = Challenge.cancel(verified, 'email-address-changed', afterNoon(1))

  t.like(cancelled, { status: 'cancelled', cancelledAt: afterNoon(1) })
  t.false('verifiedAt' in cancelled)
  t.like(event, { type: 'challenge-cancelled', reason: 'email-address-changed' })
})

const [exhausted] = Challenge.reject(openChallenge({ ...POLICY, maxAttempts: 1 }), NOON)
const [cancelled] = Challenge.cancel(openChallenge(), 'email-address-changed', NOON)
const [verified] = Challenge.verify(openChallenge(), 'i1', NOON)

const CALL = { key: 'key', fingerprint: 'f' }
const [consumed] = Challenge.consume(verified, CALL, afterNoon(1))

for (const [status, challenge, now] of [
  ['expired', openChallenge(), afterNoon(900)],
  ['exhausted', exhausted, NOON],
  ['cancelled', cancelled, NOON],
  ['verified', verified, NOON],
  ['consumed', consumed, afterNoon(900)],
] as const) {
  test(`a challenge that is ${status} takes no issuance, no verification and no rejection`, (t) => {
    const code = `challenge-${status}`
    t.throws(() => Challenge.countIssuance(challenge, now), { ...over, code })
    t.throws(() => Challenge.verify(challenge, 'i1', now), { ...over, code })
    t.throws(() => Challenge.reject(challenge, now), { ...over, code })
  })
}

test('a verified challenge is consumed by one call, which it remembers', (t) => {
  const [challenge, event] = Challenge.consume(verified, CALL, afterNoon(899.999))

  t.like(challenge, {
    status: 'consumed',
    verifiedAt: NOON,
    consumedAt: afterNoon(899.999),
    consumedBy: CALL,
  })
  t.is(event.type, 'challenge-consumed')
})

test('a challenge is not consumed before it is verified', (t) => {
  t.throws(() => Challenge.consume(openChallenge(), CALL, NOON), {
    instanceOf: ChallengeNotVerified,
    code: 'challenge-not-verified',
  })
})

for (const [status, challenge, now] of [
  ['expired', openChallenge(), afterNoon(900)],
  ['expired', verified, afterNoon(900)],
  ['exhausted', exhausted, NOON],
  ['cancelled', cancelled, NOON],
  ['consumed', consumed, afterNoon(1)],
] as const) {
  test(`a challenge that was ${challenge.status} and is ${status} is not consumed`, (t) => {
    t.throws(() => Challenge.consume(challenge, CALL, now), { ...over, code: `challenge-${status}` })
  })
}

test('a consumed challenge stays consumed past its deadline', (t) => {
  t.is(Challenge.statusAt(consumed, afterNoon(900)), 'consumed')
})

for (const [what, challenge, now] of [
  ['an expired', openChallenge(), afterNoon(900)],
  ['an expired verified', verified, afterNoon(900)],
  ['an exhausted', exhausted, NOON],
  ['a cancelled', cancelled, NOON],
  ['a consumed', consumed, afterNoon(1)],
] as const) {
  test(`${what} challenge cannot be cancelled`, (t) => {
    t.throws(() => Challenge.cancel(challenge, 'email-address-changed', now), over)
  })
}

test('only a third call for another operation, each unlike the others, ends a live challenge', (t) => {
  const open = openChallenge()
  const call = (key: string, fingerprint = 'f') => ({ key, fingerprint })
  const [once, [refused]] = Challenge.refuseConsumption(open, 'digest-mismatch', call('k1'), NOON)
  const [again] = Challenge.refuseConsumption(once, 'digest-mismatch', call('k1'), NOON)
  const [forged] = Challenge.refuseConsumption(again, 'signature-mismatch', call('k2'), NOON)
  const [twice] = Challenge.refuseConsumption(forged, 'digest-mismatch', call('k1', 'g'), NOON)
  const [late, lateEvents] = Challenge.refuseConsumption(twice, 'digest-mismatch', call('k3'), open.expiresAt)
  const [ended, events] = Challenge.refuseConsumption(twice, 'digest-mismatch', call('k3'), NOON)

  t.like(refused, { type: 'consumption-refused', reason: 'digest-mismatch' })
  t.is(again, once)
  t.is(forged, again)
  t.like(twice, { status: 'pending', mismatchedBy: ['k1 f', 'k1 g'] })
  t.is(late, twice)
  t.is(lateEvents.length, 1)
  t.like(ended, { status: 'cancelled', cancelledAt: NOON })
  t.deepEqual(
    events.map(({ type }) => type),
    ['consumption-refused', 'challenge-cancelled'],
  )
  t.like(events[1], { reason: 'operation-mismatch' })
  t.deepEqual(Challenge.refuseConsumption(ended, 'digest-mismatch', call('k4'), NOON)[0], ended)
})
