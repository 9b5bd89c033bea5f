import test from 'ava'
import pg from 'pg'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import {
  type Connections,
  connectPrisma,
} from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { PrismaLockNotices } from '../../../src/adapters/persistence-prisma/lock-notices/prisma-lock-notices.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaRetention } from '../../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { retentionContract } from '../../contracts/retention.contract.ts'
import { NOON } from '../../domain/examples.ts'
import { createTestDatabase, query } from '../../support/database.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

function connect(url: string): Connections {
  const connections = connectPrisma({ url, onConnectionLost: () => {} })
  all.push(connections)
  return connections
}

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

retentionContract('prisma', async () => {
  const { prisma, statements } = connect((await createTestDatabase()).url)
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
    lockNotices: new PrismaLockNotices(statements),
    retention: new PrismaRetention(prisma),
  }
})

/** That many challenges, a second apart up to noon, each with two issuances and three events, and one event of a user each. */
async function fill(url: string, challenges: number): Promise<void> {
  const numbered = `FROM generate_series(0, ${challenges - 1}) AS n, LATERAL (
    SELECT timestamptz '${NOON.toISOString()}' - n * interval '1 second' AS at
  ) AS opened, LATERAL (
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid AS id
  ) AS identified`
  await query(
    url,
    `INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
    VALUES ('alice', 0, 0, '{}', 0)`,
    `INSERT INTO challenges (
      id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
      attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint
    )
    SELECT id, 'payments', 'alice', 'payments.initiate', 'digest', '[]', 'pending', 5, 2, at,
      at + interval '15 minutes', n, 'f' ${numbered}`,
    `INSERT INTO otp_issuances (
      id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
      delivery_attempts, sent_at
    )
    SELECT gen_random_uuid(), id, 'alice', number, 'k1', 'alice@example.com', at, at + interval '5 minutes', 'sent',
      1, at ${numbered}, generate_series(1, 2) AS number`,
    `INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
    SELECT challenge_id, 'alice', 'otp-issued', at, 'user:alice', '{}'
    ${numbered}, unnest(ARRAY[id, id, id, NULL]) AS challenge_id
    ORDER BY at`,
    'ANALYZE',
  )
}

/** Later than any of {@link fill} expires. */
const TOMORROW = new Date(NOON.getTime() + 86_400_000)

const purge = ({ prisma }: Connections, expiredBefore: Date, limit: number) =>
  Array.fromAsync(new PrismaRetention(prisma).purge(expiredBefore, limit))

const counts = async (url: string) =>
  (
    await query(
      url,
      `SELECT (SELECT count(*) FROM challenges)::int AS challenges,
        (SELECT count(*) FROM otp_issuances)::int AS issuances,
        (SELECT count(*) FROM challenge_events)::int AS events`,
    )
  )[0]

test.serial('a purge reads the old end of the tables, along their indexes', async (t) => {
  const { url } = await createTestDatabase()
  await fill(url, 5000)
  const scans = async () => {
    const [row] = await query(
      url,
      `SELECT sum(seq_scan)::int AS whole, sum(idx_scan)::int AS "byIndex" FROM pg_stat_user_tables
      WHERE relname IN ('challenges', 'otp_issuances', 'challenge_events')`,
    )
    return row as { whole: number; byIndex: number }
  }
  const before = await scans()

  const connections = connect(url)
  const batches = await purge(connections, new Date(NOON.getTime() - 4_000_000), 50)
  // A connection hands in its figures when it ends.
  await connections.close()
  let after = await scans()
  while (after.byIndex === before.byIndex) after = await scans()

  t.is(
    batches.reduce((total, { challenges }) => total + challenges, 0),
    99,
  )
  t.is(after.whole, before.whole)
  // To go through all challenges alone would take a hundred.
  t.true(batches.length < 100)
})

test.serial('what retention may do ends with its transaction', async (t) => {
  const { url } = await createTestDatabase()
  await fill(url, 2)
  const connections = connect(url)
  await purge(connections, new Date(NOON.getTime() + 899_500), 1)

  await t.throwsAsync(connections.prisma.$executeRaw`DELETE FROM challenge_events`, {
    message: /append-only/,
  })
  t.deepEqual(await counts(url), { challenges: 1, issuances: 2, events: 3 })
})

test.serial('an old event of a challenge that is gone already goes too', async (t) => {
  const { url } = await createTestDatabase()
  await fill(url, 2)
  await query(
    url,
    `INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
    SELECT gen_random_uuid(), 'alice', 'address-suppressed', occurred_at, 'service', '{}'
    FROM challenge_events WHERE challenge_id IS NULL`,
  )

  await purge(connect(url), new Date(NOON.getTime() - 500), 10)

  t.deepEqual(await counts(url), { challenges: 2, issuances: 4, events: 8 })
})

test.serial('while another process purges, nothing is deleted', async (t) => {
  const { url } = await createTestDatabase()
  await fill(url, 3)
  const other = new pg.Client({ connectionString: url })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query(`SELECT pg_advisory_xact_lock(hashtext('countersign.retention'))`)
  const prisma = connect(url)

  t.deepEqual(await purge(prisma, TOMORROW, 10), [])
  await other.query('COMMIT')

  await purge(prisma, TOMORROW, 10)
  t.deepEqual(await counts(url), { challenges: 0, issuances: 0, events: 0 })
})

test.serial(
  'a purge that is held up gives way with nothing deleted, and the next one goes through',
  async (t) => {
    const { url } = await createTestDatabase()
    await fill(url, 3)
    const other = new pg.Client({ connectionString: url })
    await other.connect()
    t.teardown(() => other.end())
    await other.query('BEGIN')
    await other.query(`SELECT id FROM otp_issuances ORDER BY issued_at DESC LIMIT 1 FOR UPDATE`)
    const prisma = connect(url)

    await t.throwsAsync(purge(prisma, TOMORROW, 10), { message: /55P03/ })
    t.deepEqual(await counts(url), { challenges: 3, issuances: 6, events: 12 })
    await other.query('COMMIT')

    await purge(prisma, TOMORROW, 10)
    t.deepEqual(await counts(url), { challenges: 0, issuances: 0, events: 0 })
  },
)
