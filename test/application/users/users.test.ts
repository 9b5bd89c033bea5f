import { randomUUID } from 'node:crypto'
import test from 'ava'
import { ChallengeNotFound } from '../../../src/domain/challenge.ts'
import { UserNotFound, UserUnreachable } from '../../../src/domain/user.ts'
import { POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const ERASE = { userId: 'alice', clientId: 'crm', origin: { requestId: 'r' } }

test('a user is found as they were put', async (t) => {
  const { findUser } = await scenario()

  t.like(await findUser.execute('alice'), { userId: 'alice', email: 'alice@example.com', locale: 'de' })
  await t.throwsAsync(findUser.execute('bob'), { instanceOf: UserNotFound, code: 'user-not-found' })
})

test('an erased user is forgotten, with the addresses of mails sent, and live challenges end', async (t) => {
  const { open, issue, eraseUser, findUser, store } = await scenario()
  const id = await open()
  await issue(id)

  await eraseUser.execute(ERASE)

  await t.throwsAsync(findUser.execute('alice'), { instanceOf: UserNotFound })
  const stepUp = await store.stepUps.load(id)
  t.is(stepUp?.challenge.status, 'cancelled')
  t.false(JSON.stringify(stepUp).includes('alice@example.com'))
  t.like(store.events.at(-1), { type: 'user-erased', actor: 'client:crm' })
})

test('an erased user can be reached no more, until put again', async (t) => {
  const { open, issue, eraseUser, putUser } = await scenario()
  await eraseUser.execute(ERASE)
  const id = await open()

  await t.throwsAsync(issue(id), { instanceOf: UserUnreachable })
  await putUser.execute({ ...ERASE, email: 'alice@example.com' })
  await t.notThrowsAsync(issue(id))
})

for (const [hold, heard] of [
  [0, []],
  [60, ['address-removed']],
] as const) {
  test(`with a hold of ${hold} s for changed addresses, an erased one hears of ${heard[0] ?? 'nothing'}`, async (t) => {
    const { eraseUser, tell, news } = await scenario({ policy: { ...POLICY, addressHoldInSeconds: hold } })

    await eraseUser.execute(ERASE)
    await tell()

    t.deepEqual(
      news.map(({ kind }) => kind),
      [...heard],
    )
  })
}

test('to erase whom nobody knows changes nothing', async (t) => {
  const { eraseUser, store } = await scenario()
  const events = store.events.length

  await t.notThrowsAsync(eraseUser.execute({ ...ERASE, userId: 'bob' }))
  t.is(store.events.length, events)
})

test('the client of a challenge reads everything that happened to it, in order', async (t) => {
  const { open, issue, verify, consume, auditChallenge, deliver } = await scenario()
  const id = await open()
  await issue(id)
  await deliver()
  await verify(id, '999999')
  await verify(id, '000001')
  await consume(id)

  const events = await auditChallenge.execute(id, 'payments')

  t.deepEqual(
    events.map(({ type, actor }) => [type, actor]),
    [
      ['challenge-opened', 'client:payments'],
      ['otp-issued', 'user:alice'],
      ['otp-sent', 'service'],
      ['otp-rejected', 'user:alice'],
      ['challenge-verified', 'user:alice'],
      ['challenge-consumed', 'client:payments'],
    ],
  )
})

test("another client's challenge has no events to read, nor has one that nobody opened", async (t) => {
  const { open, auditChallenge } = await scenario()

  for (const id of [await open(), randomUUID()]) {
    await t.throwsAsync(auditChallenge.execute(id, 'shop'), {
      instanceOf: ChallengeNotFound,
      code: 'challenge-not-found',
    })
  }
})
