import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { Caller } from '../../../src/application/ports/access-tokens.ts'
import { ChallengeNotFound } from '../../../src/domain/challenge.ts'
import { afterNoon } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const client = (clientId: string): Caller => ({ kind: 'client', clientId, scopes: new Set() })
const user = (userId: string): Caller => ({ kind: 'user', userId })

test('client and subject of a challenge see how it stands', async (t) => {
  const { open, issue, inspectChallenge } = await scenario()
  const id = await open()
  await issue(id)

  for (const caller of [client('payments'), user('alice')]) {
    const seen = await inspectChallenge.execute(id, caller)
    t.like(seen, { status: 'pending', resendAvailableAt: afterNoon(30), codeDigits: 6 })
    t.is(seen.issuance?.number, 1)
  }
})

test('a challenge past its deadline is seen as expired', async (t) => {
  const { open, clock, inspectChallenge } = await scenario()
  const id = await open()
  clock.pass(900)

  t.is((await inspectChallenge.execute(id, user('alice'))).status, 'expired')
})

test('to everybody else there is no such challenge', async (t) => {
  const { open, inspectChallenge } = await scenario()
  const id = await open()

  // A client that is named like the subject, and a user that is named like the client, are neither.
  for (const caller of [client('shop'), client('alice'), user('mallory'), user('payments')]) {
    await t.throwsAsync(inspectChallenge.execute(id, caller), { instanceOf: ChallengeNotFound })
  }
  await t.throwsAsync(inspectChallenge.execute(randomUUID(), user('alice')), {
    instanceOf: ChallengeNotFound,
  })
})
