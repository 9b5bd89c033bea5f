import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Caller } from '../../../src/application/ports/access-tokens.ts'
import { ChallengeNotFound, ChallengeOver } from '../../../src/domain/challenge.ts'
import { scenario } from '../scenario.ts'

const PAYMENTS: Caller = { kind: 'client', clientId: 'payments', scopes: new Set() }
const ALICE: Caller = { kind: 'user', userId: 'alice' }

for (const [caller, reason, actor] of [
  [PAYMENTS, 'by-client', 'client:payments'],
  [ALICE, 'by-subject', 'user:alice'],
] as const) {
  test(`a challenge can be cancelled ${reason}, and its code counts no more`, async (t) => {
    const { open, issue, verify, cancelChallenge, store } = await scenario()
    const challengeId = await open()
    await issue(challengeId)

    await cancelChallenge.execute({ challengeId, caller, origin: { requestId: 'r' } })

    t.like(store.events.at(-1), { type: 'challenge-cancelled', reason, actor })
    await t.throwsAsync(verify(challengeId, '000001'), {
      instanceOf: ChallengeOver,
      code: 'challenge-cancelled',
    })
  })
}

test('a verified challenge can be cancelled, and not be consumed any more', async (t) => {
  const { open, issue, verify, consume, cancelChallenge } = await scenario()
  const challengeId = await open()
  await issue(challengeId)
  await verify(challengeId, '000001')

  await cancelChallenge.execute({ challengeId, caller: PAYMENTS, origin: { requestId: 'r' } })

  await t.throwsAsync(consume(challengeId), { instanceOf: ChallengeOver, code: 'challenge-cancelled' })
})

test('to cancel again changes nothing', async (t) => {
  const { open, cancelChallenge, store } = await scenario()
  const command = { challengeId: await open(), caller: PAYMENTS, origin: { requestId: 'r' } }
  await cancelChallenge.execute(command)
  const events = store.events.length

  await cancelChallenge.execute(command)

  t.is(store.events.length, events)
})

test('what is consumed or expired cannot be cancelled', async (t) => {
  const { open, issue, verify, consume, cancelChallenge, clock } = await scenario()
  const consumed = await open()
  await issue(consumed)
  await verify(consumed, '000001')
  await consume(consumed)
  const expired = await open()

  await t.throwsAsync(
    cancelChallenge.execute({ challengeId: consumed, caller: PAYMENTS, origin: { requestId: 'r' } }),
    {
      code: 'challenge-consumed',
    },
  )
  clock.pass(900)
  await t.throwsAsync(
    cancelChallenge.execute({ challengeId: expired, caller: ALICE, origin: { requestId: 'r' } }),
    {
      code: 'challenge-expired',
    },
  )
})

test('to others there is no challenge to cancel', async (t) => {
  const { open, cancelChallenge, store } = await scenario()
  const challengeId = await open()

  for (const caller of [
    { kind: 'client', clientId: 'shop', scopes: new Set<string>() },
    { kind: 'user', userId: 'mallory' },
  ] as const) {
    await t.throwsAsync(cancelChallenge.execute({ challengeId, caller, origin: { requestId: 'r' } }), {
      instanceOf: ChallengeNotFound,
    })
  }
  await t.throwsAsync(
    cancelChallenge.execute({ challengeId: randomUUID(), caller: ALICE, origin: { requestId: 'r' } }),
    {
      instanceOf: ChallengeNotFound,
    },
  )
  t.is((await store.stepUps.load(challengeId))?.challenge.status, 'pending')
})

test('of a consume and a cancel at the same time one wins', async (t) => {
  for (let round = 0; round < 20; round++) {
    const { open, issue, verify, consume, cancelChallenge, store } = await scenario()
    const challengeId = await open()
    await issue(challengeId)
    await verify(challengeId, '000001')

    const [consumed, cancelled] = await Promise.allSettled([
      consume(challengeId),
      cancelChallenge.execute({ challengeId, caller: ALICE, origin: { requestId: 'r' } }),
    ])

    t.not(consumed.status, cancelled.status)
    t.is(
      (await store.stepUps.load(challengeId))?.challenge.status,
      consumed.status === 'fulfilled' ? 'consumed' : 'cancelled',
    )
  }
})
