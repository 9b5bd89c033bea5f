import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ChallengeNotFound, ChallengeOver, SubjectMismatch } from '../../../src/domain/challenge.ts'
import { IssuanceTooSoon } from '../../../src/domain/otp-issuance.ts'
import { IssuancesSpent } from '../../../src/domain/subject-standing.ts'
import { UserUnreachable } from '../../../src/domain/user.ts'
import { POLICY } from '../../domain/examples.ts'
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
