import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ReviewChallenge } from '../../../src/application/challenges/review-challenge.ts'
import { ChallengeNotFound } from '../../../src/domain/challenge.ts'
import { afterNoon, POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

async function reviewed() {
  const world = await scenario()
  return {
    ...world,
    reviewChallenge: new ReviewChallenge(world.store.stepUps, world.store.trail, world.clock, POLICY),
  }
}

test('an operator sees how any challenge stands, what is left of its budgets, and all that happened', async (t) => {
  const { open, issue, deliver, verify, reviewChallenge } = await reviewed()
  const id = await open()
  await issue(id)
  await deliver()
  await verify(id, 'wrong')

  const { status, challenge, issuance, resendAvailableAt, subject, events } =
    await reviewChallenge.execute(id)

  t.is(status, 'pending')
  t.is(challenge.attemptsRemaining, 4)
  t.is(issuance?.status, 'sent')
  t.deepEqual(resendAvailableAt, afterNoon(30))
  t.deepEqual(subject, { attemptsRemaining: 4, lockedUntil: undefined, suppressed: false })
  t.deepEqual(
    events.map(({ type }) => type),
    ['challenge-opened', 'otp-issued', 'otp-sent', 'otp-rejected'],
  )
})

test('a lock is seen while it lasts', async (t) => {
  const { open, verify, clock, reviewChallenge } = await reviewed()
  const id = await open()
  for (let n = 0; n < 5; n++) await verify(id, 'wrong')

  const { status, subject } = await reviewChallenge.execute(id)
  t.is(status, 'exhausted')
  t.deepEqual(subject, { attemptsRemaining: 0, lockedUntil: afterNoon(900), suppressed: false })

  clock.pass(900)
  t.deepEqual((await reviewChallenge.execute(id)).subject, {
    attemptsRemaining: 5,
    lockedUntil: undefined,
    suppressed: false,
  })
})

test('an address that no mail goes to is seen, and that no other code will be issued', async (t) => {
  const { open, issue, deliver, recordMailEvent, clock, reviewChallenge } = await reviewed()
  const id = await open()
  await issue(id)
  await deliver()
  const { issuance } = await reviewChallenge.execute(id)
  await recordMailEvent.execute({
    issuanceId: issuance!.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: clock.now() },
    origin: { requestId: 'r' },
  })

  const { subject, resendAvailableAt } = await reviewChallenge.execute(id)

  t.true(subject.suppressed)
  t.is(resendAvailableAt, undefined)
})

test('where there is no such challenge there is nothing to review', async (t) => {
  const { reviewChallenge } = await reviewed()

  await t.throwsAsync(reviewChallenge.execute(randomUUID()), { instanceOf: ChallengeNotFound })
})
