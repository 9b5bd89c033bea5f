import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ChallengeNotFound, ChallengeOver, SubjectMismatch } from '../../../src/domain/challenge.ts'
import { SubjectLocked } from '../../../src/domain/subject-standing.ts'
import { POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const LENIENT = { ...POLICY, subjectMaxFailures: 100 }

async function issued(options = {}) {
  const all = await scenario(options)
  const id = await all.open()
  await all.issue(id)
  return { ...all, id }
}

for (const code of [
  '000001',
  ' 000001 ',
  '000 001',
  '000-001',
  '0 0 0 0 0 1',
  '00-00-01 ',
  '000001\n',
  '00000１',
]) {
  test(`the code verifies when given as ${JSON.stringify(code)}`, async (t) => {
    const { verify, id, store } = await issued()

    t.deepEqual(await verify(id, code), { outcome: 'verified' })
    t.is((await store.stepUps.load(id))?.challenge.status, 'verified')
  })
}

for (const code of ['000002', '1', '00000２', '0000010', 'abcdef', '-', '00000l', '000001\u0000']) {
  test(`${JSON.stringify(code)} is wrong and spends an attempt`, async (t) => {
    const { verify, id, store } = await issued()

    t.like(await verify(id, code), { outcome: 'rejected', attemptsRemaining: 4 })
    t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 4)
  })
}

test('before a code is sent every answer is wrong, also of a subject without an entry in the directory', async (t) => {
  const { open, verify } = await scenario()

  t.like(await verify(await open(), '000001'), { outcome: 'rejected' })
  t.like(await verify(await open('bob'), '000001', 'bob'), { outcome: 'rejected' })
})

test('a code is superseded by a newer one', async (t) => {
  const { id, clock, issue, verify } = await issued()
  clock.pass(30)
  await issue(id)

  t.like(await verify(id, '000001'), { outcome: 'rejected' })
  t.like(await verify(id, '000002'), { outcome: 'verified' })
})

test('a code is wrong at the end of its lifetime, and right until then', async (t) => {
  const early = await issued()
  early.clock.pass(299.999)
  t.like(await early.verify(early.id, '000001'), { outcome: 'verified' })

  const late = await issued()
  late.clock.pass(300)
  t.like(await late.verify(late.id, '000001'), { outcome: 'rejected' })
})

test('a resend does not give back a guess', async (t) => {
  const { id, clock, issue, verify } = await issued()
  await verify(id, '999999')
  clock.pass(30)
  await issue(id)

  t.like(await verify(id, '999999'), { outcome: 'rejected', attemptsRemaining: 3 })
})

test('nobody can answer, or spend a guess of, the challenge of somebody else', async (t) => {
  const { id, verify, store } = await issued()

  await t.throwsAsync(verify(id, '000001', 'mallory'), {
    instanceOf: SubjectMismatch,
    code: 'subject-mismatch',
  })
  t.is((await store.stepUps.load(id))?.challenge.attemptsRemaining, 5)
})

test('a challenge that nobody opened cannot be answered', async (t) => {
  const { verify } = await scenario()

  await t.throwsAsync(verify(randomUUID(), '000001'), { instanceOf: ChallengeNotFound })
})

test('the fifth wrong code in a row over two challenges locks the subject, and the lock ends', async (t) => {
  const { id, open, issue, verify, clock } = await issued()
  const other = await open()
  await issue(other)
  for (const wrong of [id, id, id, other]) await verify(wrong, '999999')

  t.like(await verify(other, '999999'), { attemptsRemaining: 0 })
  await t.throwsAsync(verify(other, '000001'), { instanceOf: SubjectLocked })
  clock.pass(900)
  t.like(await verify(await open(), '999999'), { outcome: 'rejected' })
})

test('fifty concurrent right answers verify once', async (t) => {
  const { id, verify } = await issued()

  const burst = await Promise.allSettled(Array.from({ length: 50 }, () => verify(id, '000001')))

  t.is(burst.filter((one) => one.status === 'fulfilled' && one.value.outcome === 'verified').length, 1)
  t.is(burst.filter((one) => one.status === 'rejected' && one.reason instanceof ChallengeOver).length, 49)
})

test('a concurrent burst of a hundred cannot exceed the guess budget', async (t) => {
  const { id, verify, store } = await issued({ policy: LENIENT })

  const burst = await Promise.allSettled(Array.from({ length: 100 }, () => verify(id, '999999')))

  t.is(burst.filter(({ status }) => status === 'fulfilled').length, 5)
  t.is((await store.stepUps.load(id))?.challenge.status, 'exhausted')
})

test("a concurrent burst over ten challenges cannot exceed the subject's failures", async (t) => {
  const { open, issue, verify } = await scenario()
  const ids = await Promise.all(Array.from({ length: 10 }, () => open()))
  for (const id of ids) await issue(id)

  const burst = await Promise.allSettled(ids.flatMap((id) => [verify(id, '999999'), verify(id, '999998')]))

  t.is(burst.filter(({ status }) => status === 'fulfilled').length, 5)
  t.true(burst.every((one) => one.status === 'fulfilled' || one.reason instanceof SubjectLocked))
})
