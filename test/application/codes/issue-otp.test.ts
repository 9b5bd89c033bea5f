import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ChallengeNotFound, ChallengeOver, SubjectMismatch } from '../../../src/domain/challenge.ts'
import { IssuanceTooSoon } from '../../../src/domain/otp-issuance.ts'
import { IssuancesSpent } from '../../../src/domain/subject-standing.ts'
import { AddressHeld, UserUnreachable } from '../../../src/domain/user.ts'
import { afterNoon, POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

test('an issued code is queued to the address of the directory, and the deliverer is rung', async (t) => {
  const { open, issue, store, rings } = await scenario()
  const id = await open()

  await issue(id)

  t.like((await store.stepUps.load(id))?.issuance, {
    status: 'queued',
    recipient: 'alice@example.com',
    keyId: 'k1',
  })
  t.is(rings.length, 1)
})

test('a challenge that nobody opened gets no code', async (t) => {
  const { issue, rings } = await scenario()

  await t.throwsAsync(issue(randomUUID()), { instanceOf: ChallengeNotFound })
  t.is(rings.length, 0)
})

test('nobody gets a code for the challenge of somebody else', async (t) => {
  const { open, issue, store } = await scenario()
  const id = await open()

  await t.throwsAsync(issue(id, 'mallory'), { instanceOf: SubjectMismatch })
  t.is((await store.stepUps.load(id))?.issuance, undefined)
})

test('a subject whom the directory does not know cannot be reached', async (t) => {
  const { open, issue } = await scenario()

  await t.throwsAsync(issue(await open('bob'), 'bob'), {
    instanceOf: UserUnreachable,
    code: 'user-unreachable',
  })
})

test('a challenge that is over gets no code', async (t) => {
  const { open, issue, clock } = await scenario()
  const id = await open()
  clock.pass(900)

  await t.throwsAsync(issue(id), { instanceOf: ChallengeOver })
})

test('a concurrent burst of thirty issues one code', async (t) => {
  const { open, issue, store } = await scenario()
  const id = await open()

  const burst = await Promise.allSettled(Array.from({ length: 30 }, () => issue(id)))

  t.is(burst.filter(({ status }) => status === 'fulfilled').length, 1)
  t.true(burst.every((one) => one.status === 'fulfilled' || one.reason instanceof IssuanceTooSoon))
  t.is((await store.stepUps.load(id))?.challenge.issuanceCount, 1)
})

test("a concurrent burst over many challenges cannot exceed the subject's hour", async (t) => {
  const { open, issue } = await scenario({ policy: { ...POLICY, subjectMaxIssuancesPerHour: 3 } })
  const ids = await Promise.all(Array.from({ length: 10 }, () => open()))

  const burst = await Promise.allSettled(ids.map((id) => issue(id)))

  t.is(burst.filter(({ status }) => status === 'fulfilled').length, 3)
  t.true(burst.every((one) => one.status === 'fulfilled' || one.reason instanceof IssuancesSpent))
})

test('who asked for a code, and with which request, is on record', async (t) => {
  const { open, issue, store } = await scenario()
  await issue(await open())

  t.like(store.events.at(-1), { type: 'otp-issued', actor: 'user:alice', requestId: 'r' })
})

test('two subjects with one mailbox share its hour, and hear when it has room again', async (t) => {
  const { open, issue, putUser, clock } = await scenario({
    policy: { ...POLICY, mailboxMaxIssuancesPerHour: 1 },
  })
  const origin = { requestId: 'r' }
  await putUser.execute({ userId: 'bob', email: 'ALICE@Example.com', clientId: 'crm', origin })
  await issue(await open())
  clock.pass(60)

  t.like(await t.throwsAsync(issue(await open()), { instanceOf: IssuancesSpent }), {
    retryAfterInSeconds: 3540,
  })
  await issue(await open('bob'), 'bob')
  t.like(await t.throwsAsync(issue(await open('bob'), 'bob'), { instanceOf: IssuancesSpent }), {
    retryAfterInSeconds: 3600,
  })
  clock.pass(3600)
  await issue(await open('bob'), 'bob')
})

test('an address that replaced another one gets no code while it is held, and the first of a user always does', async (t) => {
  const { open, issue, putUser, clock, inspectChallenge } = await scenario({
    policy: { ...POLICY, addressHoldInSeconds: 300 },
  })
  await issue(await open())
  const command = { userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm' }
  await putUser.execute({ ...command, origin: { requestId: 'r' } })
  clock.pass(299)
  const id = await open()

  const error = await t.throwsAsync(issue(id), { instanceOf: AddressHeld, code: 'address-held' })
  t.is((error as AddressHeld).retryAfterInSeconds, 1)
  const shown = await inspectChallenge.execute(id, { kind: 'user', userId: 'alice' })
  t.deepEqual(shown.resendAvailableAt, afterNoon(300))
  clock.pass(1)
  await issue(id)
})

for (const email of ['alice@elsewhere.example', 'alice@example.com']) {
  test(`${email} is held after the erasure of an entry, as if it replaced its address`, async (t) => {
    const { open, issue, putUser, eraseUser, clock, tell, mails } = await scenario({
      policy: { ...POLICY, addressHoldInSeconds: 300 },
    })
    const command = { userId: 'alice', clientId: 'crm', origin: { requestId: 'r' } }
    await eraseUser.execute(command)
    clock.pass(3600)
    await putUser.execute({ ...command, email })
    clock.pass(299)
    const id = await open()

    await t.throwsAsync(issue(id), { instanceOf: AddressHeld })
    clock.pass(1)
    await issue(id)

    await tell()
    t.like(mails, [{ to: 'alice@example.com', kind: 'security-notice' }])
  })
}
