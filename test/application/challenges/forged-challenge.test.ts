import test from 'ava'
import { ChallengeOver, IdempotencyKeyReused } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const MALLORY = EmailAddress.parse('mallory@example.com')
const SUMMARY = [{ label: 'Amount', value: 'EUR 1.00' }]
const CANCELLED = { instanceOf: ChallengeOver, code: 'challenge-cancelled' } as const
const USER = { kind: 'user', userId: 'alice' } as const

/** A challenge of Alice with a code, and an intruder who writes to the storage. */
async function issued() {
  const all = await scenario()
  const id = await all.open()
  await all.issue(id)
  const issuance = (await all.store.stepUps.load(id))!.issuance!
  const stored = async () => (await all.store.stepUps.load(id))!.challenge
  return { ...all, id, issuance, stored, intruder: all.store.intruder }
}

async function verified() {
  const all = await issued()
  await all.verify(all.id, '000001')
  return all
}

test('an approval that nobody gave is refused, and ends the challenge', async (t) => {
  const { id, intruder, consume, stored, store } = await issued()
  await intruder.rewrite(id, (challenge) => ({ ...challenge, status: 'verified', verifiedAt: NOON }))

  await t.throwsAsync(consume(id), CANCELLED)

  t.is((await stored()).status, 'cancelled')
  t.like(store.events.at(-1), { type: 'challenge-cancelled', reason: 'unsealed', actor: 'service' })
  await t.throwsAsync(consume(id), CANCELLED)
})

test('an approval that was used, and that somebody set back, is refused to every call', async (t) => {
  const { id, intruder, consume, store } = await verified()
  await consume(id)
  await intruder.rewrite(id, (challenge) => ({ ...challenge, status: 'verified', verifiedAt: NOON }))

  await t.throwsAsync(consume(id, { idempotency: { key: 'consume-2', fingerprint: 'f' } }), CANCELLED)

  t.like(store.events.at(-1), { type: 'challenge-cancelled', reason: 'set-back', actor: 'service' })
  await t.throwsAsync(consume(id), CANCELLED)
})

test('an approval that its subject withdrew, and that somebody set back, is refused', async (t) => {
  const { id, intruder, consume, cancelChallenge } = await verified()
  await cancelChallenge.execute({ challengeId: id, caller: USER, origin: { requestId: 'r' } })
  await intruder.rewrite(id, (challenge) => ({ ...challenge, status: 'verified', verifiedAt: NOON }))

  await t.throwsAsync(consume(id), CANCELLED)
})

test('a consumption that never was gives no authorisation, and is recorded', async (t) => {
  const { id, intruder, consume, store, stored } = await issued()
  const consumedBy = { key: 'consume-1', fingerprint: 'f' }
  await intruder.rewrite(id, (challenge) => ({
    ...challenge,
    ...{ status: 'consumed', verifiedAt: NOON, consumedAt: NOON, consumedBy },
  }))

  t.deepEqual(await consume(id), { outcome: 'mismatch', reason: 'unsealed' })

  t.like(store.events.at(-1), { type: 'consumption-refused', reason: 'unsealed', actor: 'client:payments' })
  t.is((await stored()).status, 'consumed')
})

test('a consumption that somebody gives to another call, or to another time, gives no authorisation', async (t) => {
  for (const [key, change] of [
    ['consume-2', { consumedBy: { key: 'consume-2', fingerprint: 'f' } }],
    ['consume-1', { consumedAt: afterNoon(600) }],
  ] as const) {
    const { id, intruder, consume } = await verified()
    await consume(id)
    await intruder.rewrite(id, (challenge) => ({ ...challenge, ...change }) as typeof challenge)

    t.deepEqual(await consume(id, { idempotency: { key, fingerprint: 'f' } }), {
      outcome: 'mismatch',
      reason: 'broken-seal',
    })
  }
})

test('a summary that somebody changed is not mailed, and its challenge takes no code and no consumption', async (t) => {
  const { id, intruder, deliver, verify, consume, issue, mails, store, clock } = await issued()
  await intruder.rewrite(id, (each) => ({ ...each, operation: { ...each.operation, summary: SUMMARY } }))

  t.like((await deliver())[0], { outcome: 'failed' })
  t.is(mails.length, 0)
  t.like(store.events.at(-1), { type: 'otp-failed', reason: 'broken-seal' })
  await t.throwsAsync(verify(id, '000001'), CANCELLED)
  t.like(store.events.at(-1), { type: 'challenge-cancelled', reason: 'broken-seal', actor: 'service' })
  clock.pass(60)
  await t.throwsAsync(issue(id), CANCELLED)
  await t.throwsAsync(consume(id), CANCELLED)
})

test('a code that somebody sends to another mailbox is not mailed, and verifies nothing', async (t) => {
  const { id, intruder, issuance, deliver, verify, mails } = await issued()
  await intruder.redirect(issuance.id, MALLORY)

  t.like((await deliver())[0], { outcome: 'failed' })
  t.is(mails.length, 0)
  await t.throwsAsync(verify(id, '000001'), CANCELLED)
})

test('a repeat for an operation that somebody changed is refused, and ends its challenge once', async (t) => {
  const { openChallenge, store } = await scenario()
  const command = {
    ...{ clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
    ...{ idempotency: { key: 'key', fingerprint: 'f' }, origin: { requestId: 'r' } },
  }
  const { challenge } = await openChallenge.execute(command)
  await store.intruder.rewrite(challenge.id, (each) => ({
    ...each,
    operation: { ...each.operation, summary: SUMMARY },
  }))

  for (let repeat = 1; repeat <= 2; repeat++) {
    await t.throwsAsync(openChallenge.execute(command), { instanceOf: IdempotencyKeyReused })
    t.is((await store.stepUps.load(challenge.id))?.challenge.status, 'cancelled')
  }

  const ends = store.events.filter(({ type }) => type === 'challenge-cancelled')
  t.is(ends.length, 1)
  t.like(ends[0], { challengeId: challenge.id, reason: 'broken-seal', actor: 'service' })
})

test('a forged challenge is shown as cancelled before the next decision cancels it', async (t) => {
  const { id, intruder, inspectChallenge, stored } = await issued()
  await intruder.rewrite(id, (challenge) => ({ ...challenge, status: 'verified', verifiedAt: NOON }))

  t.like(await inspectChallenge.execute(id, USER), { status: 'cancelled', resendAvailableAt: undefined })
  t.is((await stored()).status, 'verified')
})

test('a user whose address was forgotten may have consumed before: the same call still gets the same answer', async (t) => {
  const { id, consume, eraseUser } = await verified()
  const first = await consume(id)
  await eraseUser.execute({ userId: 'alice', clientId: 'crm', origin: { requestId: 'r' } })

  t.deepEqual(await consume(id), first)
})
