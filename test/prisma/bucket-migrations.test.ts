import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { bucketInId, bucketOf } from '../../src/domain/bucket.ts'
import { until } from '../journeys/client.ts'
import { createTestDatabase, missingDatabaseUrl, query, serverUrl } from '../support/database.ts'

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url)
const FIRST = '20261128170000_bucket_of'
const AFTER_LAST = '20261128170007'

/** Each table whose rows belong to a subject, and how its rows lead to the subject. */
const SUBJECT_OF = {
  users: 'user_id',
  subject_standings: 'subject_user_id',
  challenges: 'subject_user_id',
  otp_issuances: 'subject_user_id',
  lock_notices: 'subject_user_id',
  security_notices: 'subject_user_id',
  challenge_events: 'subject_user_id',
  trail_heads: 'subject_user_id',
  service_events: '(SELECT subject_user_id FROM challenges c WHERE c.id = t.challenge_id)',
  challenge_expiries: '(SELECT subject_user_id FROM challenges c WHERE c.id = t.challenge_id)',
}
const SUBJECTS = ['alice', 'Bob\\x41', '株式会社', `it's ünique`]

test('the database and the code agree on the bucket of each subject', async (t) => {
  const { url } = await createTestDatabase()
  const subjects = [
    ...SUBJECTS,
    ...['', ' ', '\\', '"', '𝄞', 'é', 'e\u0301', '\u202eabc', 'x'.repeat(255), '\n\t'],
    ...Array.from({ length: 10_000 }, (_, n) => `${n % 3 === 0 ? 'ü' : ''}${randomUUID()}`),
  ]
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  // As in a function with a search path of its own.
  await client.query(`SET search_path = ''`)

  const { rows } = await client.query<{ subject: string; bucket: number }>(
    'SELECT subject, public.bucket_of(subject) AS bucket FROM unnest($1::text[]) AS subject',
    [subjects],
  )

  t.is(rows.length, subjects.length)
  for (const { subject, bucket } of rows) t.is(bucket, bucketOf(subject), subject)
})

test('the rows of the version before get the bucket of their subject, and nothing else of them changes', async (t) => {
  const { client } = await databaseBefore(t)
  const before = await rowsOf(client)

  await migrate(client)

  for (const [table, subject] of Object.entries(SUBJECT_OF)) {
    const rows = await client.query<{ subject: string; bucket: number }>(
      `SELECT ${subject} AS subject, bucket FROM ${table} t`,
    )
    t.true(rows.rows.length >= SUBJECTS.length, table)
    for (const { subject, bucket } of rows.rows) t.is(bucket, bucketOf(subject), table)
  }
  const strangers = await client.query('SELECT challenge_id, bucket FROM challenge_strangers')
  t.is(strangers.rows.length, SUBJECTS.length)
  for (const { challenge_id: id, bucket } of strangers.rows) t.is(bucket, bucketInId(id))
  t.deepEqual(await rowsOf(client), before)
  t.deepEqual(await nullable(client), [])
})

test('the version before goes on inserting rows, which get their bucket', async (t) => {
  const { client } = await databaseBefore(t)
  await migrate(client)

  for (const subject of ['carol', 'Ωmega']) await insertAsBefore(client, subject)

  for (const [table, subject] of Object.entries(SUBJECT_OF)) {
    const { rows } = await client.query(
      `SELECT bucket, ${subject} AS subject FROM ${table} t WHERE ${subject} IN ('carol', 'Ωmega')`,
    )
    t.true(rows.length >= 2, table)
    for (const each of rows) t.is(each.bucket, bucketOf(each.subject), table)
  }
})

test('a row that names another bucket than that of its subject does not join the chain', async (t) => {
  const { url } = await createTestDatabase()

  const insert = query(
    url,
    `INSERT INTO challenge_events (bucket, subject_user_id, type, occurred_at, actor, details)
     VALUES (${(bucketOf('alice') + 1) % 4096}, 'alice', 'x', now(), 'x', '{}')`,
  )

  await t.throwsAsync(insert, { code: '23514' })
  t.deepEqual(await query(url, 'SELECT FROM trail_heads'), [])
})

test('a row that names another bucket does not join a chain that is there either', async (t) => {
  const { url } = await createTestDatabase()
  const insert = (bucket: number) =>
    query(
      url,
      `INSERT INTO challenge_events (bucket, subject_user_id, type, occurred_at, actor, details)
       VALUES (${bucket}, 'alice', 'x', now(), 'x', '{}')`,
    )
  await insert(bucketOf('alice'))

  await t.throwsAsync(insert((bucketOf('alice') + 1) % 4096), { code: '23514' })
  t.deepEqual(await query(url, 'SELECT bucket, position::integer FROM trail_heads'), [
    { bucket: bucketOf('alice'), position: 1 },
  ])
})

test('a challenge is in the bucket of its subject, whether it is new or somebody gives it to another one', async (t) => {
  const { url } = await createTestDatabase()
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  for (const subject of SUBJECTS) await insertAsBefore(client, subject)
  const copyTo = (subject: string, bucket: number) =>
    client.query(
      `INSERT INTO challenges
       SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', gen_random_uuid(),
         'subject_user_id', $1::text, 'bucket', $2::integer))).*
       FROM challenges c LIMIT 1`,
      [subject, bucket],
    )
  const refused = { code: '23514', message: 'the bucket is that of another subject' }

  for (const [n, subject] of SUBJECTS.entries()) {
    const other = SUBJECTS[(n + 1) % SUBJECTS.length]!
    const change = (columns: string, ...values: unknown[]) =>
      client.query(`UPDATE challenges SET ${columns} WHERE subject_user_id = $1`, [subject, ...values])

    await t.throwsAsync(copyTo(subject, bucketOf(other)), refused)
    await t.throwsAsync(change('subject_user_id = $2', other), refused)
    await t.throwsAsync(change('bucket = $2', bucketOf(other)), refused)
    await copyTo(subject, bucketOf(subject))
    await change('subject_user_id = $2, bucket = $3', other, bucketOf(other))
  }
})

test('a change of a challenge that leaves its subject alone hashes no subject', async (t) => {
  const { url } = await createTestDatabase()

  const checks = await query(
    url,
    `SELECT conrelid::regclass::text AS table, conname AS name FROM pg_constraint
     WHERE contype = 'c' AND pg_get_constraintdef(oid) ~ 'bucket_of|sha256'`,
  )

  t.deepEqual(checks, [])
})

test('while the past is filled, an event still cannot be changed, except for a bucket that it lacks', async (t) => {
  const { client } = await databaseBefore(t)
  await migrate(client, '20261128170003')
  const refused = { code: '23001' }
  const fill = 'UPDATE challenge_events SET bucket = bucket_of(subject_user_id)'

  await t.throwsAsync(client.query(fill), refused)
  await client.query(`SET countersign.bucket = 'on'`)
  for (const change of [
    'bucket = bucket_of(subject_user_id) + 1',
    'bucket = NULL',
    `bucket = bucket_of(subject_user_id), actor = 'nobody'`,
    `subject_user_id = 'bob', bucket = bucket_of('bob')`,
    `details = '{}'`,
  ]) {
    await t.throwsAsync(client.query(`UPDATE challenge_events SET ${change}`), refused, change)
  }
  await t.throwsAsync(client.query('DELETE FROM challenge_events'), refused)
  await t.throwsAsync(client.query('TRUNCATE challenge_events'), refused)
  await client.query(`GRANT ALL ON challenge_events TO ${await otherRole()}`)
  await client.query(`SET ROLE ${await otherRole()}`)
  await t.throwsAsync(client.query(fill), refused)
  await client.query('RESET ROLE')

  await client.query(fill)
  await t.throwsAsync(client.query(fill), refused)
})

test('afterwards the append-only rule is what it was', async (t) => {
  const { client } = await databaseBefore(t)
  const before = await ruleOf(client)

  await migrate(client)

  t.deepEqual(await ruleOf(client), before)
  await client.query(`SET countersign.bucket = 'on'`)
  const change = client.query('UPDATE challenge_events SET bucket = bucket_of(subject_user_id)')
  await t.throwsAsync(change, { code: '23001' })
})

test('the fill waits for no row: what a session holds is filled when it lets go', async (t) => {
  const { client, url } = await databaseBefore(t)
  await migrate(client, '20261128170003')
  const holder = new pg.Client(url)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query(`SELECT FROM challenges WHERE subject_user_id = 'alice' FOR UPDATE`)

  const filling = client.query(await scriptOf('20261128170003_fill_buckets'))
  const lacking = () =>
    query(url, 'SELECT subject_user_id FROM challenges WHERE bucket IS NULL') as Promise<
      { subject_user_id: string }[]
    >
  const held = await until(lacking, (rows) => rows.length === 1)
  // Tables before and after: the fill is at the held row, and none of its locks stays.
  await holder.query(`UPDATE challenges SET attempts_remaining = 4 WHERE subject_user_id <> 'alice'`)
  await holder.query('COMMIT')
  await filling

  t.deepEqual(held, [{ subject_user_id: 'alice' }])
  t.deepEqual(await lacking(), [])
})

test('each of the migrations can be repeated where it was cut off', async (t) => {
  const { client } = await databaseBefore(t)
  await migrate(client, '20261128170002')
  await client.query(await scriptOf('20261128170001_bucket_columns'))
  await client.query(await scriptOf('20261128170002_bucket_of_past_events'))
  for (const name of ['20261128170003_fill_buckets', '20261128170005_buckets_are_there']) {
    await client.query(await scriptOf(name))
    await client.query(await scriptOf(name))
  }

  t.deepEqual(await nullable(client), [])
})

/** A database as the version before left it, with rows in each table. */
async function databaseBefore(t: ExecutionContext): Promise<{ client: pg.Client; url: string }> {
  const url = missingDatabaseUrl()
  await query(serverUrl(), `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  for (const name of await names()) if (name < FIRST) await client.query(await scriptOf(name))
  await client.query(
    `INSERT INTO webhook_endpoints (client_id, secrets, registered_by) VALUES ('payments', '[]', 'service')`,
  )
  for (const subject of SUBJECTS) await insertAsBefore(client, subject)
  return { client, url }
}

/** Applies the migrations about buckets, up to one. Each is one message, as the engine sends it. */
async function migrate(client: pg.Client, end = AFTER_LAST): Promise<void> {
  for (const name of await names()) {
    if (name >= FIRST && name < end) await client.query(await scriptOf(name))
  }
}

async function names(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  return entries
    .filter((each) => each.isDirectory())
    .map(({ name }) => name)
    .toSorted()
}

function scriptOf(name: string): Promise<string> {
  return readFile(new URL(`${name}/migration.sql`, MIGRATIONS), 'utf8')
}

/** A row of each table, by statements that know no bucket. Triggers add those of `trail_heads`, `service_events` and `challenge_expiries`. */
async function insertAsBefore(client: pg.Client, subject: string): Promise<void> {
  const [id, other] = [randomUUID(), randomUUID()]
  const run = (text: string, ...values: unknown[]) => client.query(text, values)
  await run(
    `INSERT INTO users (user_id, email, created_at, updated_at) VALUES ($1, 'a@example.com', now(), now())`,
    subject,
  )
  await run(
    `INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
     VALUES ($1, 0, 0, '{}', 0)`,
    subject,
  )
  await run(
    `INSERT INTO challenges (id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
       attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint)
     VALUES ($1, 'payments', $2, 't', 'd', '[]', 'pending', 5, 1, now(), now() + interval '15 minutes', $3, 'f')`,
    ...[id, subject, randomUUID()],
  )
  await run(
    `INSERT INTO otp_issuances (id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
       delivery_attempts, next_attempt_at)
     VALUES ($1, $2, $3, 1, 'k1', 'a@example.com', now(), now() + interval '5 minutes', 'queued', 0, now())`,
    ...[other, id, subject],
  )
  await run(
    `INSERT INTO lock_notices (id, challenge_id, subject_user_id, recipient, locked_at, locked_until, status, delivery_attempts,
       next_attempt_at)
     VALUES ($1, $2, $3, 'a@example.com', now(), now() + interval '15 minutes', 'queued', 0, now())`,
    ...[other, id, subject],
  )
  await run(
    `INSERT INTO security_notices (id, kind, subject_user_id, recipient, happened_at, status, delivery_attempts, next_attempt_at)
     VALUES ($1, 'address-changed', $2, 'a@example.com', now(), 'queued', 0, now())`,
    ...[other, subject],
  )
  await run(
    `INSERT INTO challenge_strangers (challenge_id, user_id, seen_at) VALUES ($1, 'mallory', now())`,
    id,
  )
  await run(
    `INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
     VALUES ($1, $2, 'challenge-opened', now(), 'client:payments', '{}'), (NULL, $2, 'user-created', now(), 'client:crm', '{}')`,
    ...[id, subject],
  )
}

/** All that is in the tables, without the buckets. */
async function rowsOf(client: pg.Client): Promise<object> {
  const tables = [...Object.keys(SUBJECT_OF), 'challenge_strangers']
  const all: Record<string, unknown> = {}
  for (const table of tables) {
    const { rows } = await client.query(`SELECT to_jsonb(t) - 'bucket' AS row FROM ${table} t ORDER BY 1`)
    all[table] = rows.map(({ row }) => row)
  }
  return all
}

/** The tables whose bucket may be null. */
async function nullable(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(
    `SELECT table_name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'bucket' AND is_nullable = 'YES'
     UNION ALL
     SELECT conname FROM pg_constraint WHERE conname = 'bucket_is_there'`,
  )
  return rows
}

/** The triggers of the trail, without the one that fills buckets, and the function of the append-only rule. */
async function ruleOf(client: pg.Client): Promise<object> {
  const triggers = await client.query(
    `SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
     WHERE tgrelid = 'challenge_events'::regclass AND NOT tgisinternal AND tgname <> 'challenge_events_bucket' ORDER BY 1`,
  )
  const rule = await client.query(`SELECT pg_get_functiondef('keep_challenge_events()'::regprocedure)`)
  return [triggers.rows, rule.rows]
}

let role: Promise<string> | undefined

/** A role that owns nothing. */
async function otherRole(): Promise<string> {
  role ??= (async () => {
    const name = `other_${randomUUID().replaceAll('-', '')}`
    await query(serverUrl(), `CREATE ROLE ${name}`)
    return name
  })()
  return role
}
