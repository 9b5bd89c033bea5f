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
import { createRole } from '../../support/database-role.ts'
import { SEALS } from '../../support/seals.ts'

const all: Connections[] = []

function connect(database: { readonly url: string }): Connections {
  const connections = connectPrisma({ ...database, onConnectionLost: () => {} })
  all.push(connections)
  return connections
}

test.after.always('connections are closed', async () => {
  await Promise.all(all.map(({ close }) => close()))
})

retentionContract('prisma', async () => {
  const { prisma, statements } = connect(await createTestDatabase())
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
    lockNotices: new PrismaLockNotices(statements),
    retention: new PrismaRetention(prisma),
  }
})

const numberedUpTo = (challenges: number) => `FROM generate_series(0, ${challenges - 1}) AS n, LATERAL (
    SELECT timestamptz '${NOON.toISOString()}' - n * interval '1 second' AS at
  ) AS opened, LATERAL (
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid AS id
  ) AS identified`

/** That many challenges, a second apart up to noon, each with two issuances. */
async function fill(url: string, challenges: number): Promise<void> {
  const numbered = numberedUpTo(challenges)
  await query(
    url,
    `INSERT INTO subject_standings (bucket, subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
    VALUES (bucket_of('alice'), 'alice', 0, 0, '{}', 0)`,
    `INSERT INTO challenges (
      bucket, id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
      attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint
    )
    SELECT bucket_of('alice'), id, 'payments', 'alice', 'payments.initiate', 'digest', '[]', 'pending', 5, 2, at,
      at + interval '15 minutes', n, 'f' ${numbered}`,
    `INSERT INTO otp_issuances (
      bucket, id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
      delivery_attempts, sent_at
    )
    SELECT bucket_of('alice'), gen_random_uuid(), id, 'alice', number, 'k1', 'alice@example.com', at, at + interval '5 minutes', 'sent',
      1, at ${numbered}, generate_series(1, 2) AS number`,
    'ANALYZE',
  )
}

/** Three events for each challenge of {@link fill}, and one of a user each. */
async function fillTrail(url: string, challenges: number): Promise<void> {
  await query(
    url,
    `INSERT INTO challenge_events (bucket, challenge_id, subject_user_id, type, occurred_at, actor, details)
    SELECT bucket_of('alice'), challenge_id, 'alice', 'otp-issued', at, 'user:alice', '{}'
    ${numberedUpTo(challenges)}, unnest(ARRAY[id, id, id, NULL]) AS challenge_id
    ORDER BY at`,
  )
}

/** Later than any of {@link fill} expires. */
const TOMORROW = new Date(NOON.getTime() + 86_400_000)

const purge = ({ prisma }: Connections, expiredBefore: Date, limit: number) =>
  Array.fromAsync(new PrismaRetention(prisma).purge(expiredBefore, limit))

const purgeTrail = ({ prisma }: Connections, keptDays: number, limit: number) =>
  Array.fromAsync(new PrismaRetention(prisma).purgeTrail(keptDays, limit))

const MINIMUM_IN_DAYS = 397

/** Events of alice, oldest first, each stored as many days ago as the number says. */
async function trailOf(url: string, ages: readonly number[]): Promise<void> {
  await query(
    url,
    ...ages.map(
      () => `INSERT INTO challenge_events (bucket, subject_user_id, type, occurred_at, actor, details)
        VALUES (bucket_of('alice'), 'alice', 'user-put', now(), 'service', '{}')`,
    ),
    ...rewriting(
      ...ages.map(
        (days, n) =>
          `UPDATE challenge_events SET recorded_at = now() - interval '${days} days' WHERE position = ${n + 1}`,
      ),
    ),
  )
}

/** Statements that the trail refuses otherwise. The second line takes the third to all servers of a Citus, and means nothing elsewhere. */
const rewriting = (...statements: string[]) => [
  'BEGIN',
  `SET LOCAL citus.propagate_set_commands = 'local'`,
  'SET LOCAL session_replication_role = replica',
  ...statements,
  'COMMIT',
]

/** The places of the events that are left. */
const places = async (url: string) =>
  ((await query(url, 'SELECT position FROM challenge_events ORDER BY id')) as { position: number }[]).map(
    ({ position }) => position,
  )

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
  const database = await createTestDatabase()
  const { url } = database
  await fill(url, 5000)
  // Rows, not scans: a part of a table that is empty is read as a whole.
  const statistics = `SELECT coalesce(sum(seq_tup_read), 0)::int AS whole, coalesce(sum(idx_scan), 0)::int AS "byIndex"
    FROM pg_stat_user_tables WHERE relname ~ '^(challenges|otp_issuances)(_[0-9]+)?$'`
  const scans = async () => {
    const [row] = await query(
      url,
      database.sharding === 'none'
        ? statistics
        : `SELECT sum((result::json ->> 'whole')::int)::int AS whole, sum((result::json ->> 'byIndex')::int)::int AS "byIndex"
           FROM run_command_on_all_nodes($$SELECT to_json(s) FROM (${statistics}) AS s$$)`,
    )
    return row as { whole: number; byIndex: number }
  }
  const before = await scans()

  const connections = connect(database)
  const batches = await purge(connections, new Date(NOON.getTime() - 4_000_000), 50)
  // A connection hands in its figures when it ends. That of a coordinator ends those to its workers.
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

test.serial('events go when the minimum is over, however short a time the service asks for', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [MINIMUM_IN_DAYS + 2, MINIMUM_IN_DAYS + 1, MINIMUM_IN_DAYS - 1, 0])
  const connections = connect(database)
  const retention = new PrismaRetention(connections.prisma)
  t.true(Math.abs((await retention.trailOverdueInSeconds(1)) - 2 * 86_400) < 3600)

  for (const keptDays of [0, -1000, 1]) await purgeTrail(connections, keptDays, 100)

  t.deepEqual(await places(url), [3, 4])
  t.is(await retention.trailOverdueInSeconds(1), 0)
})

test.serial('events stay for as long as the service asks, and go in batches', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [900, 899, 898, 700])
  const connections = connect(database)

  t.deepEqual(await purgeTrail(connections, 800, 2), [
    { challenges: 0, events: 2 },
    { challenges: 0, events: 1 },
  ])
  t.deepEqual(await places(url), [4])
})

test.serial('an event that was stored lately keeps those behind it', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [500, 3, 500])

  await purgeTrail(connect(database), 1, 100)

  t.deepEqual(await places(url), [2, 3])
})

test.serial('an event from before the chains goes by its own date', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [0, 0])
  await query(
    url,
    ...rewriting(
      `UPDATE challenge_events SET position = NULL, previous_id = NULL, previous_hash = NULL, recorded_at = NULL,
         occurred_at = now() - interval '398 days' WHERE position = 1`,
    ),
  )

  await purgeTrail(connect(database), 1, 100)

  t.deepEqual(await places(url), [2])
})

test.serial('of parallel purges of the trail one works, and each event goes once', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [...Array.from({ length: 40 }, () => 500), 0])
  const connections = Array.from({ length: 4 }, () => connect(database))

  const purges = await Promise.all(connections.map((each) => purgeTrail(each, 1, 3)))

  // One that found another at work has ended without a batch.
  await purgeTrail(connections[0]!, 1, 100)
  t.true(purges.flat().every(({ events }) => events <= 3))
  t.deepEqual(await places(url), [41])
})

test.serial('no setting lets anyone but the owner delete, not even with the right to', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await trailOf(url, [500])
  const service = await createRole(t, url)
  await query(url, `GRANT SELECT, UPDATE, DELETE, TRUNCATE ON challenge_events TO ${service.role}`)

  for (const statement of [
    'DELETE FROM challenge_events',
    'TRUNCATE challenge_events',
    `UPDATE challenge_events SET actor = 'x'`,
  ]) {
    await t.throwsAsync(
      query(
        service.url,
        'BEGIN',
        `SET LOCAL citus.propagate_set_commands = 'local'`,
        `SET LOCAL countersign.retention = 'on'`,
        statement,
      ),
      { message: /append-only/ },
    )
  }
  t.deepEqual(await places(url), [1])
})

test.serial('a role that was not granted the purge has none', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  const stranger = await createRole(t, url)

  await t.throwsAsync(query(stranger.url, 'SELECT purge_challenge_events(500, 10)'), {
    message: /permission denied/,
  })
})

test.serial('while another process purges, nothing is deleted', async (t) => {
  const database = await createTestDatabase()
  const { url } = database
  await fill(url, 3)
  await fillTrail(url, 3)
  const other = new pg.Client({ connectionString: url })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query(`SELECT pg_advisory_xact_lock(hashtext('countersign.retention'))`)
  const prisma = connect(database)

  t.deepEqual(await purge(prisma, TOMORROW, 10), [])
  await other.query('COMMIT')

  await purge(prisma, TOMORROW, 10)
  t.deepEqual(await counts(url), { challenges: 0, issuances: 0, events: 12 })
})

test.serial(
  'a purge that is held up gives way with nothing deleted, and the next one goes through',
  async (t) => {
    const database = await createTestDatabase()
    const { url } = database
    await fill(url, 3)
    await fillTrail(url, 3)
    const other = new pg.Client({ connectionString: url })
    await other.connect()
    t.teardown(() => other.end())
    await other.query('BEGIN')
    await other.query(
      `SELECT id FROM otp_issuances WHERE bucket = bucket_of('alice') ORDER BY issued_at DESC LIMIT 1 FOR UPDATE`,
    )
    const prisma = connect(database)

    await t.throwsAsync(purge(prisma, TOMORROW, 10), { message: /55P03/ })
    t.deepEqual(await counts(url), { challenges: 3, issuances: 6, events: 12 })
    await other.query('COMMIT')

    await purge(prisma, TOMORROW, 10)
    t.deepEqual(await counts(url), { challenges: 0, issuances: 0, events: 12 })
  },
)
