import test from 'ava'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { UnlockSubject } from '../../../src/application/support/unlock-subject.ts'
import { SubjectLocked } from '../../../src/domain/subject-standing.ts'
import { ALICE, afterNoon, NOON, POLICY } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const STRICT = { ...POLICY, subjectMaxFailures: 1 }
const COMMAND = { userId: 'alice', actor: 'agent:7', origin: { requestId: 'r-2' } }

/** Alice, locked at noon. */
async function lockedAlice() {
  const all = await scenario({ policy: STRICT })
  const id = await all.open()
  await all.issue(id)
  await all.verify(id, '777777')
  const unlockings = () => all.store.events.filter(({ type }) => type === 'subject-unlocked')
  return { ...all, id, unlockings }
}

test('an unlocked subject gets codes again, and the trail says who ended the lock, and when it would have ended', async (t) => {
  const { id, issue, clock, store, unlockSubject, unlockings } = await lockedAlice()
  const until = (await store.standings.find('alice'))!.lockedUntil
  clock.pass(60)
  await t.throwsAsync(issue(id), { instanceOf: SubjectLocked })

  t.true(await unlockSubject.execute(COMMAND))

  await t.notThrowsAsync(issue(id))
  t.deepEqual(unlockings(), [
    {
      type: 'subject-unlocked',
      subjectUserId: 'alice',
      at: afterNoon(60),
      until,
      actor: 'agent:7',
      requestId: 'r-2',
    },
  ])
})

test('the user hears of the unlocking, in their language', async (t) => {
  const { unlockSubject, tell, news, mails } = await lockedAlice()

  await unlockSubject.execute(COMMAND)
  await tell()

  t.like(news, [{ kind: 'subject-unlocked', happenedAt: NOON, locale: 'de', displayName: undefined }])
  t.is(news.length, 1)
  t.is(mails.at(-1)?.to, ALICE)
})

test('an unlocking forgets no lock: the next one lasts twice as long', async (t) => {
  const { id, issue, verify, clock, store, unlockSubject } = await lockedAlice()
  await unlockSubject.execute(COMMAND)
  clock.pass(60)
  await issue(id)

  await verify(id, '777777')

  const { lockedUntil, consecutiveLocks } = (await store.standings.find('alice'))!
  t.is(consecutiveLocks, 2)
  t.deepEqual(lockedUntil, afterNoon(60 + 2 * POLICY.subjectLockInSeconds))
})

for (const [who, userId] of [
  ['a subject who is not locked', 'bob'],
  ['a user whom nobody knows', 'nobody'],
] as const) {
  test(`to unlock ${who} changes nothing`, async (t) => {
    const { open, store, unlockSubject } = await scenario()
    await open('bob')
    const before = [await store.standings.find(userId), store.events.length]

    t.false(await unlockSubject.execute({ ...COMMAND, userId }))

    t.deepEqual([await store.standings.find(userId), store.events.length], before)
  })
}

test('a lock that has ended by itself is not unlocked', async (t) => {
  const { clock, unlockSubject, unlockings } = await lockedAlice()
  clock.pass(POLICY.subjectLockInSeconds)

  t.false(await unlockSubject.execute(COMMAND))

  t.deepEqual(unlockings(), [])
})

test('a subject without a lock is left as they are, also while the directory is silent', async (t) => {
  const { store, clock } = await scenario()
  const silent = { find: () => Promise.reject(new DirectoryUnavailable('no answer')) }

  t.false(await new UnlockSubject(store.standings, silent, clock).execute(COMMAND))
})

test('of twelve agents at once one ends the lock: one event, one mail', async (t) => {
  const { unlockSubject, tell, mails, unlockings } = await lockedAlice()
  const before = mails.length

  const ended = await Promise.all(Array.from({ length: 12 }, () => unlockSubject.execute(COMMAND)))
  await tell()

  t.is(ended.filter(Boolean).length, 1)
  t.is(unlockings().length, 1)
  t.is(mails.length, before + 1)
})

test('an address that gets no mail gets none about an unlocking either', async (t) => {
  const { id, store, recordMailEvent, unlockSubject, tell, news } = await lockedAlice()
  const { issuance } = (await store.stepUps.load(id))!
  await recordMailEvent.execute({
    issuanceId: issuance!.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
    origin: undefined,
  })

  t.true(await unlockSubject.execute(COMMAND))

  await tell()
  t.deepEqual(news, [])
})

test('a directory that is silent prevents the unlocking, because nobody would hear of it', async (t) => {
  const { store, clock, unlockings } = await lockedAlice()
  const silent = { find: () => Promise.reject(new DirectoryUnavailable('no answer')) }
  const unlockSubject = new UnlockSubject(store.standings, silent, clock)

  await t.throwsAsync(unlockSubject.execute(COMMAND), { instanceOf: DirectoryUnavailable })

  t.truthy((await store.standings.find('alice'))?.lockedUntil)
  t.deepEqual(unlockings(), [])
})
