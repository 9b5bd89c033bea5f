import { randomUUID } from 'node:crypto'
import test from 'ava'
import {
  ChallengeNotFound,
  ChallengeNotVerified,
  ChallengeOver,
  IdempotencyKeyReused,
} from '../../../src/domain/challenge.ts'
import { NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

async function verified() {
  const all = await scenario()
  const id = await all.open()
  await all.issue(id)
  await all.verify(id, '000001')
  return { ...all, id }
}

test('a verified challenge is consumed, and says for what and since when', async (t) => {
  const { consume, id, clock, store } = await verified()
  clock.pass(10)

  const consumption = await consume(id)

  t.like(consumption, {
    outcome: 'consumed',
    authorisation: `authorisation of ${id} at ${NOON.getTime() + 10_000}`,
  })
  t.like((await store.stepUps.load(id))?.challenge, { status: 'consumed', verifiedAt: NOON })
  t.like(store.events.at(-1), {
    type: 'challenge-consumed',
    actor: 'client:payments',
    requestId: 'r',
  })
})

test('the same call again gets the same answer and changes nothing, also past the deadline', async (t) => {
  const { consume, id, clock, store } = await verified()
  const first = await consume(id)
  const events = store.events.length
  clock.pass(10_000)

  t.deepEqual(await consume(id), first)
  t.is(store.events.length, events)
})

test('another call is refused, and so is the same key with another body', async (t) => {
  const { consume, id } = await verified()
  await consume(id)

  await t.throwsAsync(consume(id, { idempotency: { key: 'consume-2', fingerprint: 'f' } }), {
    instanceOf: ChallengeOver,
    code: 'challenge-consumed',
  })
  await t.throwsAsync(consume(id, { idempotency: { key: 'consume-1', fingerprint: 'g' } }), {
    instanceOf: IdempotencyKeyReused,
    code: 'idempotency-key-reused',
  })
})

for (const [what, change, reason] of [
  ['digest', { digest: 'A'.repeat(43) }, 'digest-mismatch'],
  ['signature', { signature: 'forged' }, 'signature-mismatch'],
] as const) {
  test(`a ${what} of something else is refused and recorded, and consumes nothing`, async (t) => {
    const { consume, id, store } = await verified()

    t.deepEqual(await consume(id, change), { outcome: 'mismatch', reason })
    t.like(store.events.at(-1), { type: 'consumption-refused', reason, actor: 'client:payments' })
    t.is((await store.stepUps.load(id))?.challenge.status, 'verified')
    t.like(await consume(id), { outcome: 'consumed' })
  })
}

test('the third call for another operation of a user without an address ends the challenge, and nobody is told', async (t) => {
  const { open, consume, tell, store } = await scenario()
  const id = await open('bob')

  for (const key of ['k1', 'k2', 'k3'])
    await consume(id, { digest: 'A'.repeat(43), idempotency: { key, fingerprint: 'f' } })

  t.is((await store.stepUps.load(id))?.challenge.status, 'cancelled')
  t.deepEqual(await tell(), [])
})

test('nothing is consumed before it is verified', async (t) => {
  const { open, consume } = await scenario()

  await t.throwsAsync(consume(await open()), { instanceOf: ChallengeNotVerified })
})

test('an approval is good until the deadline of its challenge, and not a millisecond longer', async (t) => {
  const early = await verified()
  early.clock.pass(899.999)
  t.like(await early.consume(early.id), { outcome: 'consumed' })

  const late = await verified()
  late.clock.pass(900)
  await t.throwsAsync(late.consume(late.id), { instanceOf: ChallengeOver, code: 'challenge-expired' })
})

test("another client's challenge, and one that nobody opened, is not there", async (t) => {
  const { consume, id } = await verified()

  await t.throwsAsync(consume(id, { clientId: 'shop' }), { instanceOf: ChallengeNotFound })
  await t.throwsAsync(consume(randomUUID()), { instanceOf: ChallengeNotFound })
})

test('of fifty parallel consumes under different keys one wins', async (t) => {
  const { consume, id } = await verified()

  const burst = await Promise.allSettled(
    Array.from({ length: 50 }, (_, n) => consume(id, { idempotency: { key: `k${n}`, fingerprint: 'f' } })),
  )

  t.is(burst.filter((one) => one.status === 'fulfilled' && one.value.outcome === 'consumed').length, 1)
  t.is(burst.filter((one) => one.status === 'rejected' && one.reason instanceof ChallengeOver).length, 49)
})

test('fifty parallel consumes under one key get one answer', async (t) => {
  const { consume, id, store } = await verified()

  const burst = await Promise.all(Array.from({ length: 50 }, () => consume(id)))

  for (const one of burst) t.deepEqual(one, burst[0])
  t.is(store.events.filter(({ type }) => type === 'challenge-consumed').length, 1)
})
