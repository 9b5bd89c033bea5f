import test from 'ava'
import { FindSubject } from '../../../src/application/support/find-subject.ts'
import { UserNotFound } from '../../../src/domain/user.ts'
import { afterNoon, NOON, POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const STRICT = { ...POLICY, subjectMaxFailures: 1 }

test('a subject about whom nothing was decided stands as new, with the address of the directory', async (t) => {
  const { findSubject } = await scenario()

  t.like(await findSubject.execute('alice'), {
    subjectUserId: 'alice',
    whereabouts: { user: { userId: 'alice', email: 'alice@example.com' } },
    attemptsRemaining: POLICY.subjectMaxFailures,
    lockedUntil: undefined,
    issuancesOfLastHour: 0,
    noCodeUntil: undefined,
    isUnreachable: false,
  })
})

test('a locked subject has no guesses left, and gets no code until the lock ends', async (t) => {
  const { open, issue, verify, clock, findSubject } = await scenario({ policy: STRICT })
  const id = await open()
  await issue(id)
  await verify(id, '777777')
  const until = afterNoon(POLICY.subjectLockInSeconds)

  t.like(await findSubject.execute('alice'), {
    ...{ attemptsRemaining: 0, lockedUntil: until, noCodeUntil: until, issuancesOfLastHour: 1 },
  })

  clock.pass(POLICY.subjectLockInSeconds)
  t.like(await findSubject.execute('alice'), { lockedUntil: undefined, noCodeUntil: undefined })
})

test('codes of more than an hour ago are not counted', async (t) => {
  const { open, issue, clock, findSubject } = await scenario()
  await issue(await open())

  clock.pass(3599)
  t.is((await findSubject.execute('alice')).issuancesOfLastHour, 1)
  clock.pass(1)
  t.is((await findSubject.execute('alice')).issuancesOfLastHour, 0)
})

test('a new address that is held gets no code until its hold ends, if that is after the lock', async (t) => {
  const policy = { ...STRICT, addressHoldInSeconds: 100_000 }
  const { putUser, findSubject } = await scenario({ policy })
  const origin = { requestId: 'r' }
  await putUser.execute({ userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm', origin })

  t.deepEqual((await findSubject.execute('alice')).noCodeUntil, afterNoon(100_000))
})

for (const [hold, until] of [
  [POLICY.subjectLockInSeconds - 1, POLICY.subjectLockInSeconds],
  [POLICY.subjectLockInSeconds + 1, POLICY.subjectLockInSeconds + 1],
] as const) {
  test(`with a lock of 900 s and a hold of ${hold} s, the next code comes after ${until} s`, async (t) => {
    const policy = { ...STRICT, addressHoldInSeconds: hold }
    const { open, verify, putUser, findSubject } = await scenario({ policy })
    await verify(await open(), '777777')
    const origin = { requestId: 'r' }
    await putUser.execute({ userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm', origin })

    t.deepEqual((await findSubject.execute('alice')).noCodeUntil, afterNoon(until))
  })
}

test('a suppressed address is shown as one that gets no mail, and an earlier one is not mistaken for it', async (t) => {
  const { open, issue, store, recordMailEvent, putUser, findSubject } = await scenario()
  const id = await open()
  await issue(id)
  const { issuance } = (await store.stepUps.load(id))!
  await recordMailEvent.execute({
    issuanceId: issuance!.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
    origin: undefined,
  })

  t.true((await findSubject.execute('alice')).isUnreachable)

  const origin = { requestId: 'r' }
  await putUser.execute({ userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm', origin })
  const found = await findSubject.execute('alice')
  t.false(found.isUnreachable)
  t.like(found.standing.suppression, { address: 'alice@example.com', reason: 'hard-bounce' })
})

test('a subject who has left the directory is found by their standing, with the reason', async (t) => {
  const { open, store, clock } = await scenario()
  await open('bob')
  const gone = async () => ({ user: undefined, because: 'disabled' as const })
  const findSubject = new FindSubject(store.standings, gone, clock, POLICY)

  t.like(await findSubject.execute('bob'), { whereabouts: { because: 'disabled' }, isUnreachable: false })
})

test('whom neither the directory nor a decision knows is not found', async (t) => {
  const { findSubject } = await scenario()

  await t.throwsAsync(findSubject.execute('nobody'), { instanceOf: UserNotFound })
})
