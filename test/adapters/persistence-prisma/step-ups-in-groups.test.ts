import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { Challenge, LiveChallengesSpent } from '../../../src/domain/challenge.ts'
import { StepUp, type StepUpDecision } from '../../../src/domain/step-up.ts'
import { PROVENANCE } from '../../contracts/stores.ts'
import { demand, NOON, noticeDemand, POLICY, TRANSFER } from '../../domain/examples.ts'
import { startPooler } from '../../doubles/pooler.ts'
import { createTestDatabase, query } from '../../support/database.ts'
import { waitsForLock } from '../../support/lock-waits.ts'
import { SEALS } from '../../support/seals.ts'
import { countShared } from './in-company.ts'

/** What an instance has: connections of its own, and stores on them. */
function connect(t: ExecutionContext, url: string) {
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(connections.close)
  const shared = countShared(connections.statements)
  return { connections, stepUps: new PrismaStepUps(connections.statements, SEALS), shared }
}

/** For tests in which a statement waits for a lock until the test lets it go on. */
function patient(url: string): string {
  const patient = new URL(url)
  patient.searchParams.set('lock_timeout', '30000')
  return patient.href
}

function challengeOf(subjectUserId: string) {
  return Challenge.open(
    { id: randomUUID(), clientId: 'payments', subjectUserId, operation: TRANSFER },
    POLICY,
    NOON,
  )
}

async function openFor(stepUps: PrismaStepUps, subjectUserId: string): Promise<string> {
  const [challenge, event] = challengeOf(subjectUserId)
  await stepUps.open(challenge, event, { key: challenge.id, fingerprint: 'f' }, PROVENANCE)
  return challenge.id
}

/** The decision to issue a code, on what is stored now. */
async function issuing(stepUps: PrismaStepUps, challengeId: string): Promise<StepUpDecision> {
  const stepUp = (await stepUps.load(challengeId))!
  return StepUp.issueOtp(stepUp, { ...demand(), id: randomUUID() }, POLICY, NOON)
}

for (const [end, version, expected] of [
  ['without a decision', 0, true],
  ['with a decision', 1, false],
] as const) {
  test.serial(
    `a subject that another session holds delays its own decision only, which is decided when that session ends ${end}`,
    async (t) => {
      const { url } = await createTestDatabase()
      const { connections, stepUps, shared } = connect(t, patient(url))
      const subjects = ['a', 'b', 'c']
      const ids = await Promise.all(subjects.map((subject) => openFor(stepUps, subject)))
      const decisions = await Promise.all(ids.map((id) => issuing(stepUps, id)))
      shared.clear()

      const held = await connections.prisma.$transaction(async (other) => {
        await other.$executeRaw`UPDATE subject_standings SET version = version + ${version} WHERE subject_user_id = 'b'`
        const [a, b, c] = decisions.map((decision) => stepUps.save(decision, PROVENANCE))
        t.deepEqual(await Promise.all([a, c]), [true, true])
        await waitsForLock(connections)
        return { b }
      })

      t.is(await held.b, expected)
      t.is(shared.get('step-ups.save'), 1)
      const found = await Promise.all(ids.map((id) => stepUps.load(id)))
      t.deepEqual(
        found.map((stepUp) => stepUp?.challenge.issuanceCount),
        [1, expected ? 1 : 0, 1],
      )
    },
  )
}

test.serial(
  'a decision that waits for its subject gives up after a second, and the decisions of others find a connection at once',
  async (t) => {
    const { url } = await createTestDatabase()
    const { connections, stepUps } = connect(t, url)
    const [a, b] = [await openFor(stepUps, 'a'), await openFor(stepUps, 'b')]
    const [ofA, ofB] = [await issuing(stepUps, a), await issuing(stepUps, b)]

    const saves = await connections.prisma.$transaction(async (other) => {
      await other.$executeRaw`UPDATE subject_standings SET version = version WHERE subject_user_id = 'a'`
      // More of them than the pool has connections.
      const waiting = Array.from({ length: 30 }, () => stepUps.save(ofA, PROVENANCE))
      await waitsForLock(connections)
      const sessions = await connections.prisma.$queryRaw<unknown[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      t.is(sessions.length, 1, 'one subject holds one connection')

      t.true(
        await Promise.race([stepUps.save(ofB, PROVENANCE), ...waiting]),
        'long before the first gives up',
      )
      await t.throwsAsync(waiting[0]!, { instanceOf: StorageUnavailable, message: /55P03/ })
      return waiting.slice(1)
    })

    const saved = await Promise.all(saves)
    t.is(saved.filter(Boolean).length, 1)
  },
)

test.serial('calls that repeat an opening share the search for what they opened', async (t) => {
  const { url } = await createTestDatabase()
  const { stepUps, shared } = connect(t, url)
  const calls = ['a', 'b', 'c', 'd', 'e'].map((subject) => challengeOf(subject))
  const open = () =>
    Promise.all(
      calls.map(([challenge, event]) =>
        stepUps.open(challenge, event, { key: challenge.id, fingerprint: 'f' }, PROVENANCE, 1),
      ),
    )
  await open()
  shared.clear()

  const again = await open()

  t.true(again.every(({ created }) => !created))
  t.true(shared.has('step-ups.find-by-idempotency-key'))
})

test.serial(
  'three processes that open challenges for one subject leave no more than there is room for',
  async (t) => {
    const { url } = await createTestDatabase()
    const processes = [connect(t, url), connect(t, url), connect(t, url)]
    await openFor(processes[0]!.stepUps, 'a')

    const opened = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => {
        const [challenge, event] = challengeOf('a')
        const call = { key: challenge.id, fingerprint: 'f' }
        return processes[n % 3]!.stepUps.open(challenge, event, call, PROVENANCE, 12)
      }),
    )

    t.is(opened.filter(({ status }) => status === 'fulfilled').length, 11)
    t.true(opened.every((each) => each.status === 'fulfilled' || each.reason instanceof LiveChallengesSpent))
    const [stored] = await query(url, 'SELECT count(*)::integer AS live FROM challenges')
    t.deepEqual(stored, { live: 12 })
  },
)

test.serial(
  'a subject that another session is entering delays the opening of its own challenge only',
  async (t) => {
    const { url } = await createTestDatabase()
    const { connections, stepUps, shared } = connect(t, patient(url))
    for (const subject of ['a', 'c']) await openFor(stepUps, subject)

    const held = await connections.prisma.$transaction(async (other) => {
      await other.$executeRaw`
      INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
      VALUES ('b', 0, 0, '{}', 1)`
      const [a, b, c] = ['a', 'b', 'c'].map((subject) => openFor(stepUps, subject))
      await Promise.all([a, c])
      await waitsForLock(connections)
      return { b }
    })

    const id = (await held.b)!
    t.is(shared.get('step-ups.open'), 1)
    t.is((await stepUps.load(id))?.standing.version, 1)
  },
)

test.serial(
  'a decision that the tables refuse fails alone, and those that share its statement are stored',
  async (t) => {
    const { url } = await createTestDatabase()
    const { stepUps, shared } = connect(t, url)
    const ids = await Promise.all(['a', 'b', 'c'].map((subject) => openFor(stepUps, subject)))
    const [a, b, c] = await Promise.all(ids.map((id) => issuing(stepUps, id)))
    shared.clear()
    const poisoned = { ...b!, challenge: { ...b!.challenge, attemptsRemaining: -1 } }

    const saved = await Promise.allSettled([a!, poisoned, c!].map((each) => stepUps.save(each, PROVENANCE)))

    t.deepEqual(
      saved.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    t.is(shared.get('step-ups.save'), 1)
    const events = await query(
      url,
      `SELECT subject_user_id AS subject FROM challenge_events WHERE type = 'otp-issued' ORDER BY subject_user_id`,
    )
    t.deepEqual(events, [{ subject: 'a' }, { subject: 'c' }])
  },
)

test.serial(
  'a challenge that the tables refuse opens nothing, and those that share its statement are opened',
  async (t) => {
    const { url } = await createTestDatabase()
    const { stepUps, shared } = connect(t, url)
    const opening = ['a', 'b\0', 'c'].map((subject) => openFor(stepUps, subject))

    const opened = await Promise.allSettled(opening)

    t.deepEqual(
      opened.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    t.is(shared.get('step-ups.open'), 1)
    const subjects = await query(
      url,
      'SELECT subject_user_id AS subject FROM challenges ORDER BY subject_user_id',
    )
    t.deepEqual(subjects, [{ subject: 'a' }, { subject: 'c' }])
  },
)

test.serial(
  'every event of a decision is stored once and in its order, with the caller of its own request',
  async (t) => {
    const { url } = await createTestDatabase()
    const { stepUps, shared } = connect(t, url)
    const subjects = ['a', 'b', 'c']
    const ids = await Promise.all(subjects.map((subject) => openFor(stepUps, subject)))
    const policy = { ...POLICY, maxAttempts: 1 }
    const rejecting = await Promise.all(
      ids.map(async (id) => {
        const stepUp = (await stepUps.load(id))!
        const last = { ...stepUp, challenge: { ...stepUp.challenge, attemptsRemaining: 1 } }
        return StepUp.verifyOtp(last, () => false, noticeDemand(), policy, NOON)[0]
      }),
    )
    shared.clear()

    await Promise.all(
      rejecting.map((decision, n) =>
        stepUps.save(decision, {
          actor: `user:${subjects[n]}`,
          requestId: `r${n}`,
          remoteAddress: `203.0.113.${n}`,
        }),
      ),
    )

    t.is(shared.get('step-ups.save'), 1)
    t.deepEqual(
      await query(
        url,
        `SELECT subject_user_id AS subject, type, actor, request_id AS request, remote_address AS address
       FROM challenge_events WHERE type <> 'challenge-opened' ORDER BY subject_user_id, id`,
      ),
      subjects.flatMap((subject, n) =>
        ['otp-rejected', 'challenge-exhausted'].map((type) => ({
          ...{ subject, type, actor: `user:${subject}`, request: `r${n}`, address: `203.0.113.${n}` },
        })),
      ),
    )
  },
)

test.serial(
  'two instances that open and decide about the same subjects, in opposite orders, never deadlock',
  async (t) => {
    const { url } = await createTestDatabase()
    const instances = [connect(t, url), connect(t, url)]
    const rounds = 60

    for (let round = 0; round < rounds; round++) {
      const subjects = Array.from({ length: 8 }, (_, n) => `${round}-${n}`)
      const ids = await Promise.all(
        instances.map(({ stepUps }, n) =>
          Promise.all(
            (n === 0 ? subjects : subjects.toReversed()).map((subject) => openFor(stepUps, subject)),
          ),
        ),
      )
      const decisions = await Promise.all(
        instances.map(({ stepUps }, n) => Promise.all(ids[n]!.map((id) => issuing(stepUps, id)))),
      )
      const saved = await Promise.all(
        instances.map(({ stepUps }, n) =>
          Promise.all(decisions[n]!.map((decision) => stepUps.save(decision, PROVENANCE))),
        ),
      )
      // Both instances decided on one version of each subject.
      const [ours, theirs] = [saved[0]!, saved[1]!.toReversed()]
      t.true(ours.every((own, n) => own !== theirs[n]))
    }

    for (const { shared } of instances) {
      t.true(shared.get('step-ups.open')! >= rounds)
      t.true(shared.get('step-ups.save')! >= rounds)
    }
  },
)

test.serial('through a pooler in transaction mode, requests share statements as without one', async (t) => {
  const { url } = await createTestDatabase()
  const pooler = await startPooler(url, { mode: 'transaction' })
  t.teardown(() => pooler.server.close())
  const instances = [1, 2].map(() => connect(t, `${pooler.url}?pgbouncer=true`))
  const [one, other] = instances.map(({ stepUps }) => stepUps) as [PrismaStepUps, PrismaStepUps]
  const subjects = Array.from({ length: 12 }, (_, n) => `subject-${n}`)
  for (const subject of subjects) await openFor(one, subject)

  const ids = await Promise.all(subjects.map((subject) => openFor(one, subject)))
  const decisions = await Promise.all(
    ids.map((id) => Promise.all([one, other].map((stepUps) => issuing(stepUps, id)))),
  )
  const saved = await Promise.all(
    decisions.map(([own, rival]) =>
      Promise.all([one.save(own!, PROVENANCE), other.save(rival!, PROVENANCE)]),
    ),
  )

  for (const rivals of saved) t.is(rivals.filter(Boolean).length, 1)
  for (const name of ['step-ups.open', 'step-ups.load', 'step-ups.save']) {
    t.true(instances[0]!.shared.get(name)! > 0, name)
  }
})
