import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import {
  type ChainedRow,
  eventHash,
} from '../../../src/adapters/persistence-prisma/audit-trail/event-hash.ts'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { recordMailEvent } from '../../../src/application/mail/record-mail-event.ts'
import { ConcurrencyConflict } from '../../../src/application/retry-on-conflict.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, demand, NOON, POLICY, TRANSFER } from '../../domain/examples.ts'
import { createTestDatabase, query } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

type StoredRow = ChainedRow & { readonly id: string; readonly previous_id: string | null }

const CHAINS = `SELECT subject_user_id, challenge_id::text, type, (extract(epoch FROM occurred_at) * 1000)::bigint AS occurred_at,
    (extract(epoch FROM recorded_at) * 1000)::bigint AS recorded_at, actor, request_id, remote_address, details::text,
    position, previous_hash, id, previous_id
  FROM challenge_events WHERE position IS NOT NULL ORDER BY subject_user_id, id`

/** What is wrong with the stored chains. Walks each from its first event to its head. */
async function faultsOf(url: string): Promise<string[]> {
  const rows = (await query(url, CHAINS)) as StoredRow[]
  const heads = (await query(url, 'SELECT subject_user_id, position, event_id, hash FROM trail_heads')) as {
    subject_user_id: string
    position: number
    event_id: string
    hash: Buffer
  }[]
  const faults: string[] = []
  for (const head of heads) {
    let place = { id: null as string | null, position: 0, hash: Buffer.alloc(0) as Buffer }
    for (const row of rows.filter(({ subject_user_id: subject }) => subject === head.subject_user_id)) {
      if (row.position !== place.position + 1) faults.push(`${row.id}: place ${row.position}`)
      if (row.previous_id !== place.id) faults.push(`${row.id}: follows ${row.previous_id}`)
      if (!row.previous_hash.equals(place.hash)) faults.push(`${row.id}: hash of the one before`)
      place = { id: row.id, position: row.position, hash: eventHash(row) }
    }
    if (head.event_id !== place.id || !head.hash.equals(place.hash)) faults.push(`head: ${place.id}`)
  }
  return faults
}

/** What an instance has: connections of its own, and stores on them. */
function connect(t: ExecutionContext, url: string) {
  const { prisma, statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    mailOutcomes: new PrismaMailOutcomes(statements),
  }
}

test('each event carries the hash of the one before it about the same subject', async (t) => {
  const { url } = await createTestDatabase()
  const texts = [`it's "quoted" \\ and\nbroken`, 'Łódź 🔑', '\u0001\u007f\u2028', '']
  for (const text of texts) {
    await query(
      url,
      `INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, request_id, remote_address, details)
       VALUES (gen_random_uuid(), 'a', 'otp-issued', '2026-02-03 04:05:06.789Z', ${pg.escapeLiteral(text)}, NULL, '192.0.2.1',
         jsonb_build_object('text', ${pg.escapeLiteral(text)}, 'number', 1.50, 'none', NULL)),
         (NULL, 'b', 'user-put', now(), 'service', ${pg.escapeLiteral(text)}, NULL, '{}')`,
    )
  }

  t.deepEqual(await faultsOf(url), [])
  const [count] = await query(
    url,
    'SELECT count(*)::int AS events, max(position) AS longest FROM challenge_events',
  )
  t.deepEqual(count, { events: 2 * texts.length, longest: texts.length })
})

test('nobody who inserts an event chooses its id, its place or its time', async (t) => {
  const { url } = await createTestDatabase()
  await query(
    url,
    `INSERT INTO challenge_events (id, subject_user_id, type, occurred_at, actor, details, position, previous_id, previous_hash, recorded_at)
     VALUES (999, 'a', 'user-put', '2020-01-01', 'service', '{}', 7, 6, 'x', '2020-01-01')`,
  )

  const [row] = await query(
    url,
    `SELECT id < 999 AS id, position, previous_id, previous_hash = '' AS first, recorded_at > now() - interval '1 minute' AS now
     FROM challenge_events`,
  )
  t.deepEqual(row, { id: true, position: 1, previous_id: null, first: true, now: true })
  t.deepEqual(await faultsOf(url), [])
})

test('an event that is rolled back leaves no gap', async (t) => {
  const { url } = await createTestDatabase()
  const insert = `INSERT INTO challenge_events (subject_user_id, type, occurred_at, actor, details)
    VALUES ('a', 'user-put', now(), 'service', '{}')`
  await query(url, insert, 'BEGIN', insert, 'ROLLBACK', insert)

  t.deepEqual(await faultsOf(url), [])
})

/** A call may give up on a busy machine, and a retry too. A deadlock (40P01) is a defect. */
async function unlessTooBusy(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (error) {
    const tooBusy = error instanceof ConcurrencyConflict || error instanceof StorageUnavailable
    if (!tooBusy || error.message.includes('40P01')) throw error
  }
}

test('however many connections write about the same subjects, each chain is one line and nobody deadlocks', async (t) => {
  const { url } = await createTestDatabase()
  const instances = [connect(t, url), connect(t, url), connect(t, url)]
  const subjects = Array.from({ length: 5 }, (_, n) => `s${n}`)
  const policy = {
    ...POLICY,
    resendCooldownInSeconds: 0,
    maxIssuances: 1000,
    subjectMaxIssuancesPerHour: 1000,
  }

  /** Opens a challenge, issues a code and records its mail. */
  const walk = async ({ stepUps }: (typeof instances)[number], subjectUserId: string) => {
    const [challenge, event] = Challenge.open(
      { id: randomUUID(), clientId: 'payments', subjectUserId, operation: TRANSFER },
      policy,
      NOON,
    )
    await stepUps.open(challenge, event, { key: challenge.id, fingerprint: 'f' }, PROVENANCE)
    for (;;) {
      const stepUp = (await stepUps.load(challenge.id))!
      if (stepUp.challenge.status !== 'pending') return
      const decision = StepUp.issueOtp(
        { ...stepUp, standing: { ...stepUp.standing, recentIssuances: [] } },
        { ...demand(), id: randomUUID() },
        policy,
        NOON,
      )
      if (await stepUps.save(decision, PROVENANCE)) return
    }
  }
  /** Records every mail that is due, many at a time, and what became of it. */
  const deliver = async ({ outbox, mailOutcomes }: (typeof instances)[number]) => {
    const claimed = await outbox.claim(20, afterNoon(1), afterNoon(31))
    await Promise.all(
      claimed.map(async ({ issuance }, n) => {
        const [sent, event] = OtpIssuance.markSent(issuance, undefined, afterNoon(1))
        await outbox.record(issuance, sent, event)
        const report =
          n % 2 ? ({ outcome: 'delivered' } as const) : ({ outcome: 'bounced', kind: 'hard-bounce' } as const)
        await recordMailEvent(mailOutcomes, issuance.id, { ...report, at: afterNoon(2) }, PROVENANCE)
      }),
    )
  }
  const change = async ({ registry }: (typeof instances)[number], userId: string, n: number) => {
    await registry.put({ userId, email: EmailAddress.parse(`m${n}@example.com`) }, NOON, PROVENANCE)
    if (n % 3 === 0) await registry.erase(userId, NOON, PROVENANCE)
  }
  const importAll = ({ registry }: (typeof instances)[number]) =>
    registry.putAll(
      subjects.toReversed().map((userId) => ({ userId, email: ALICE })),
      NOON,
      PROVENANCE,
    )

  const rounds = Array.from({ length: 8 }, (_, n) => n)
  await Promise.all(
    instances.map(async (instance, i) => {
      for (const n of rounds) {
        const calls = [
          ...subjects.flatMap((subject) => [walk(instance, subject), walk(instance, subject)]),
          deliver(instance),
          change(instance, subjects[(n + i) % subjects.length]!, n),
          importAll(instance),
        ]
        await Promise.all(calls.map(unlessTooBusy))
        await unlessTooBusy(deliver(instance))
      }
    }),
  )

  t.deepEqual(await faultsOf(url), [])
  const [{ kinds }] = (await query(
    url,
    'SELECT array_agg(DISTINCT type ORDER BY type) AS kinds FROM challenge_events',
  )) as [{ kinds: string[] }]
  t.deepEqual(kinds, [
    'address-suppressed',
    'challenge-cancelled',
    'challenge-opened',
    'otp-bounced',
    'otp-delivered',
    'otp-issued',
    'otp-sent',
    'user-erased',
    'user-put',
  ])
})

test('a change of a user takes the head of the chain last, so it cannot wait for a mail that waits for it', async (t) => {
  const { url } = await createTestDatabase()
  const { stepUps, registry, outbox } = connect(t, url)
  const stores = { stepUps, registry, outbox, trail: undefined as never }
  const { id, subjectUserId } = await opened(stores)
  await registry.put({ userId: subjectUserId, email: ALICE }, NOON, PROVENANCE)
  await stepUps.save(StepUp.issueOtp((await stepUps.load(id))!, demand(), POLICY, NOON), PROVENANCE)
  const mail = new pg.Client({ connectionString: url })
  await mail.connect()
  t.teardown(() => mail.end())
  await mail.query(`BEGIN`)
  await mail.query(`SELECT id FROM otp_issuances FOR UPDATE`)

  const erasing = registry.erase(subjectUserId, NOON, PROVENANCE)
  for (;;) {
    const waiting = await query(
      url,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (waiting.length > 0) break
  }
  await mail.query(`INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
    VALUES ('${id}', '${subjectUserId}', 'otp-sent', now(), 'service', '{}')`)
  await mail.query('COMMIT')

  await t.notThrowsAsync(erasing)
  t.deepEqual(await faultsOf(url), [])
})
