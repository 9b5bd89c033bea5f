import test from 'ava'
import { IdempotencyKeyReused } from '../../../src/domain/challenge.ts'
import { OperationMalformed } from '../../../src/domain/operation.ts'
import { afterNoon, TRANSFER } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const command = {
  clientId: 'payments',
  subjectUserId: 'alice',
  operation: TRANSFER,
  idempotency: { key: 'key', fingerprint: 'f' },
  origin: { requestId: 'r' },
}

test('an opened challenge is stored and signed', async (t) => {
  const { openChallenge, store } = await scenario()

  const { challenge, signature, created } = await openChallenge.execute({ ...command, lifetimeInSeconds: 60 })

  t.true(created)
  t.is(signature, `signature of ${challenge.id}`)
  t.deepEqual((await store.stepUps.load(challenge.id))?.challenge, challenge)
  t.deepEqual(challenge.expiresAt, afterNoon(60))
})

test('a repeated call opens nothing and gets the same answer', async (t) => {
  const { openChallenge } = await scenario()

  const first = await openChallenge.execute(command)
  const again = await openChallenge.execute(command)

  t.deepEqual(again, { ...first, created: false })
})

test('another request under the same key is refused', async (t) => {
  const { openChallenge } = await scenario()
  await openChallenge.execute(command)

  await t.throwsAsync(openChallenge.execute({ ...command, idempotency: { key: 'key', fingerprint: 'g' } }), {
    instanceOf: IdempotencyKeyReused,
  })
})

test('a malformed operation opens nothing', async (t) => {
  const { openChallenge, store } = await scenario()

  await t.throwsAsync(openChallenge.execute({ ...command, operation: { ...TRANSFER, digest: 'short' } }), {
    instanceOf: OperationMalformed,
  })
  t.false(store.events.some(({ type }) => type === 'challenge-opened'))
})
