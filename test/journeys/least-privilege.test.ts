import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { PrismaTrailAnchors } from '../../src/adapters/persistence-prisma/audit-trail/prisma-trail-anchors.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import {
  NEEDED_FUNCTION,
  NEEDED_PRIVILEGES,
} from '../../src/adapters/persistence-prisma/connection/database-check.ts'
import { migrateDatabase } from '../../src/adapters/persistence-prisma/connection/migrate-deploy.ts'
import { PrismaServiceEventBacklog } from '../../src/adapters/persistence-prisma/service-events/prisma-service-event-backlog.ts'
import { PrismaServiceEvents } from '../../src/adapters/persistence-prisma/service-events/prisma-service-events.ts'
import { PrismaWebhookEndpoints } from '../../src/adapters/persistence-prisma/service-events/prisma-webhook-endpoints.ts'
import { PrismaChallengeExpiries } from '../../src/adapters/persistence-prisma/step-ups/prisma-challenge-expiries.ts'
import { PrismaStepUps } from '../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { EddsaAnchorSigner } from '../../src/adapters/signing-eddsa/eddsa-anchors.ts'
import { AnchorTrail } from '../../src/application/trail/anchor-trail.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { PAYMENTS } from '../contracts/service-events.contract.ts'
import { afterNoon, NOON, POLICY, TRANSFER } from '../domain/examples.ts'
import { missingDatabaseUrl, query, serverUrl } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { SEALS } from '../support/seals.ts'
import {
  codeIn,
  crmToken,
  mailsTo,
  openChallenge,
  paymentsToken,
  registerUser,
  tokenOf,
  until,
} from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const SQL = new URL('../../deploy/postgresql/', import.meta.url)
const PASSWORD = randomBytes(12).toString('hex')

let asService: string
let asOwner: string
let dataDir: Awaited<ReturnType<typeof createDataDir>>

/** As an operator does it: roles by a superuser, tables by their owner, grants after the migration. */
test.before(async () => {
  dataDir = await createDataDir()
  const url = missingDatabaseUrl()
  await query(serverUrl(), `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)
  const as = (user: string) => Object.assign(new URL(url), { username: user, password: PASSWORD }).href
  asService = as('countersign_service')
  asOwner = as('countersign_owner')
  await query(
    url,
    await readFile(new URL('roles.sql', SQL), 'utf8'),
    `ALTER ROLE countersign_owner PASSWORD '${PASSWORD}'`,
    `ALTER ROLE countersign_service PASSWORD '${PASSWORD}'`,
  )
  await migrateDatabase(asOwner)
  await query(asOwner, await readFile(new URL('grants.sql', SQL), 'utf8'))
})

test.after.always(() => dataDir?.remove())

test('the service does all that it does as a role that may do nothing else', async (t) => {
  const service = await startProcess({ DATABASE_URL: asService, DATA_DIR: dataDir.path })
  t.teardown(() => service.end())
  const { url } = service
  t.is((await call(url, 'GET', '/readyz')).status, 200)

  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)
  t.is((await call(url, 'POST', challenge.initiate, { token: user.token })).status, 204)
  const [mail] = await mailsTo(url, user.email)
  const totp = codeIn(mail!)
  t.is((await call(url, 'POST', challenge.verify, { token: user.token, json: { totp } })).status, 204)
  const token = await paymentsToken(url)
  const headers = { 'plmr-idempotency-key': randomUUID() }
  t.is((await call(url, 'POST', challenge.consume, { token, headers, json: challenge.proof })).status, 200)
  const events = `/internal/v1/mfa/challenges/${challenge.id}/events`
  const told = await until(
    () => call(url, 'GET', events, { token }),
    ({ body }) => body.events.some(({ type }: { type: string }) => type === 'otp-sent'),
  )
  t.is(told.status, 200)

  const path = `/internal/v1/mfa/users/${user.userId}`
  const crm = await crmToken(url)
  const readers = await tokenOf(url, { client_id: 'crm', scope: 'mfa:users:read' })
  t.is((await call(url, 'PUT', path, { token: crm, json: { email: 'new@example.com' } })).status, 200)
  t.is((await call(url, 'GET', path, { token: readers })).status, 200)
  t.is((await call(url, 'DELETE', `${path}/suppression`, { token: crm })).status, 204)
  t.is((await call(url, 'DELETE', path, { token: crm })).status, 204)

  await query(
    asService,
    `INSERT INTO subject_standings (subject_user_id, consecutive_failures, consecutive_locks, recent_issuances, version)
     VALUES ('old', 0, 0, '{}', 0)`,
    `INSERT INTO challenges (id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
       attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint)
     SELECT '016f5e66-e800-7000-8000-000000000001', client_id, 'old', operation_type, operation_digest, operation_summary,
       'pending', 5, 1, '2020-01-01', '2020-01-02', 'old', 'f' FROM challenges LIMIT 1`,
    `INSERT INTO otp_issuances (id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
       delivery_attempts, failed_at, failure_reason)
     VALUES (gen_random_uuid(), '016f5e66-e800-7000-8000-000000000001', 'old', 1, 'k1', 'old@example.com', '2020-01-01',
       '2020-01-02', 'failed', 1, '2020-01-01', 'refused')`,
    `INSERT INTO challenge_events (challenge_id, subject_user_id, type, occurred_at, actor, details)
     VALUES ('016f5e66-e800-7000-8000-000000000001', 'old', 'challenge-opened', '2020-01-01', 'client:payments', '{}')`,
  )
  const purge = spawnSync(process.execPath, ['src/command-line/cli.ts', 'purge'], {
    env: { PATH: process.env.PATH, DATABASE_URL: asService },
    encoding: 'utf8',
  })
  t.is(purge.status, 0, purge.stderr)
  t.is(purge.stdout, '1 challenges and 0 events deleted\n')
  t.notRegex(service.output(), /42501|permission denied/)
})

function anchoringWith(anchors: PrismaTrailAnchors, signer: EddsaAnchorSigner): AnchorTrail {
  return new AnchorTrail(anchors, signer, { verify: () => 'genuine' }, { now: () => new Date() })
}

test('that role anchors the trail, and verifies it', async (t) => {
  const { prisma, close } = connectPrisma({ url: asService, onConnectionLost: () => {} })
  t.teardown(close)
  const key = { id: 's1', bytes: randomBytes(32) }
  const signer = new EddsaAnchorSigner([key])
  const anchoring = anchoringWith(new PrismaTrailAnchors(prisma), signer)
  // The service of another test may have made the one of this hour.
  await anchoring.execute()

  const verified = spawnSync(process.execPath, ['src/command-line/cli.ts', 'trail', 'verify'], {
    env: { PATH: process.env.PATH, DATABASE_URL: asService },
    encoding: 'utf8',
  })
  t.is(verified.status, 0, verified.stdout + verified.stderr)
  t.regex(verified.stdout, /^anchors +1, .*\n\nThe trail is whole\.$/m)
})

const anchorRow = (changed: Record<string, string> = {}) => {
  const fields = {
    ...{ number: 'newest.number + 1', hour: `'9999-01-01'`, first_id: 'newest.last_id + 1' },
    ...{ last_id: 'newest.last_id', events: '0', digest: `''`, previous: 'newest.signature' },
    ...{ signed_at: 'now()', key_id: `'s1'`, signature: `'forged'`, ...changed },
  }
  return `INSERT INTO trail_anchors (${Object.keys(fields)}) SELECT ${Object.values(fields)}
    FROM trail_anchors newest ORDER BY newest.number DESC LIMIT 1`
}

test('that role stores no anchor that ends anchoring', async (t) => {
  const { prisma, close } = connectPrisma({ url: asService, onConnectionLost: () => {} })
  t.teardown(close)
  const anchors = new PrismaTrailAnchors(prisma)
  const signer = new EddsaAnchorSigner([{ id: 's1', bytes: randomBytes(32) }])
  await anchoringWith(anchors, signer).execute()
  const before = await anchors.newest()

  for (const changed of [
    { number: '2147483647' },
    { number: 'newest.number + 2' },
    { first_id: '1000000' },
    { last_id: '9000000000000' },
    { last_id: 'newest.last_id - 1' },
    { previous: `'x'` },
    { signed_at: `'9999-01-01'` },
    { signed_at: `now() - interval '1 hour'` },
  ]) {
    const error = await t.throwsAsync(
      query(asService, anchorRow(changed)),
      undefined,
      JSON.stringify(changed),
    )
    t.like(error, { code: '23514' }, JSON.stringify(changed))
  }
  // The hour that it asks for is replaced by this one, which has its anchor.
  t.like(await t.throwsAsync(query(asService, anchorRow())), { code: '23505' })
  t.deepEqual(await anchors.newest(), before)
})

test('that role erases nothing from the trail, whatever it sets and calls', async (t) => {
  await query(
    asService,
    `INSERT INTO challenge_events (subject_user_id, type, occurred_at, actor, details)
     VALUES ('eve', 'user-put', '2001-01-01', 'client:crm', '{}')`,
  )
  const own = `SELECT id FROM challenge_events WHERE subject_user_id = 'eve'`
  const [{ id }] = (await query(asService, own)) as [{ id: string }]

  await query(
    asService,
    `SET countersign.retention = 'on'`,
    'CREATE TEMP TABLE trail_retention (minimum_days integer, purged_to bigint)',
    'INSERT INTO trail_retention VALUES (0, 0)',
    'SET search_path = pg_temp, public',
    'SELECT public.purge_challenge_events(0, 1000000)',
    'SELECT public.purge_challenge_events(-100000, 1000000)',
    'SELECT public.purge_challenge_events(NULL, 1000000)',
  )

  t.deepEqual(await query(asService, own), [{ id }])
})

test('what that role inserts gets its place from the owner, and no forged one', async (t) => {
  await query(
    asService,
    'CREATE TEMP TABLE trail_heads AS TABLE public.trail_heads',
    'SET search_path = pg_temp, public',
    `INSERT INTO challenge_events (id, subject_user_id, type, occurred_at, actor, details, position, previous_hash)
     VALUES (9000000, 'mallory', 'user-put', now(), 'client:crm', '{}', 77, 'forged')`,
  )

  t.deepEqual(
    await query(
      asService,
      `SELECT e.id < 9000000 AS drawn, e.position, h.event_id = e.id AS is_head
       FROM challenge_events e JOIN public.trail_heads h USING (subject_user_id) WHERE subject_user_id = 'mallory'`,
    ),
    [{ drawn: true, position: 1, is_head: true }],
  )
})

test('that role delivers events, and lets challenges expire', async (t) => {
  const { prisma, statements, close } = connectPrisma({ url: asService, onConnectionLost: () => {} })
  t.teardown(close)
  const stores = {
    stepUps: new PrismaStepUps(statements, SEALS),
    endpoints: new PrismaWebhookEndpoints(statements),
  }
  const serviceEvents = new PrismaServiceEvents(statements)
  const endpoint = { ...PAYMENTS, clientId: randomUUID() }
  t.true(await stores.endpoints.save(endpoint, undefined))
  const [challenge, event] = Challenge.open(
    { id: randomUUID(), clientId: endpoint.clientId, subjectUserId: randomUUID(), operation: TRANSFER },
    POLICY,
    NOON,
  )
  await stores.stepUps.open(challenge, event, { key: 'k', fingerprint: 'f' }, { actor: 'client:payments' })

  const expiries = new PrismaChallengeExpiries(prisma)
  t.is(await expiries.take(afterNoon(POLICY.challengeLifetimeInSeconds + 1), 10), 1)
  t.is(await serviceEvents.number(100), 2)
  const room = { perEndpoint: 8, taken: new Map() }
  const [delivery] = await serviceEvents.claim(room, afterNoon(900), afterNoon(960))
  t.true(await serviceEvents.record(delivery!, { status: 'accepted' }, false, afterNoon(900)))
  t.is(await serviceEvents.replay(endpoint.clientId, { after: 0 }, NOON), 1)
  t.is((await new PrismaServiceEventBacklog(prisma).measure(NOON)).waiting, 2)
  await stores.endpoints.remove(endpoint)
})

for (const statement of [
  `UPDATE challenge_events SET actor = 'nobody'`,
  'DELETE FROM challenge_events',
  `SET LOCAL countersign.retention = 'on'; DELETE FROM challenge_events`,
  'TRUNCATE challenge_events',
  'CREATE TRIGGER mine BEFORE INSERT ON challenge_events EXECUTE FUNCTION keep_challenge_events()',
  'CREATE OR REPLACE FUNCTION purge_challenge_events(a integer, b integer) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
  'UPDATE trail_retention SET minimum_days = 0',
  'DELETE FROM trail_retention',
  `UPDATE trail_heads SET hash = ''`,
  `INSERT INTO trail_heads VALUES ('x', 1, 1, '', NULL, '')`,
  'DELETE FROM trail_heads',
  'DELETE FROM trail_anchors',
  'UPDATE trail_anchors SET events = 0',
  `SELECT setval('challenge_events_id_seq', 1)`,
  `INSERT INTO service_events (event_id, client_id, challenge_id, next_attempt_at)
   VALUES (1, 'payments', gen_random_uuid(), now())`,
  'INSERT INTO challenge_expiries VALUES (gen_random_uuid(), now())',
  'CREATE OR REPLACE FUNCTION queue_service_events() RETURNS trigger LANGUAGE sql AS $$ SELECT 1 $$',
  'DELETE FROM subject_standings',
  'DELETE FROM otp_issuances',
  'ALTER TABLE challenges ADD COLUMN x int',
  'DROP TABLE users',
  'CREATE TABLE mine (x int)',
  'ALTER TABLE challenge_events DISABLE TRIGGER ALL',
  'DELETE FROM _prisma_migrations',
  'CREATE ROLE another',
  `COPY users TO PROGRAM 'cat'`,
]) {
  test(`that role may not: ${statement}`, async (t) => {
    const { code } = (await t.throwsAsync(query(asService, statement))) as Error & { code?: string }

    // Insufficient privilege (42501).
    t.is(code, '42501')
  })
}

test('the grants are the rights that doctor asks for, and no others', async (t) => {
  const grants = await readFile(new URL('grants.sql', SQL), 'utf8')
  const onTables = [...grants.matchAll(/^GRANT ([A-Z, ]+) ON (\w+) TO countersign_service;$/gm)]

  t.deepEqual(
    Object.fromEntries(onTables.map(([, privileges, table]) => [table, privileges!.split(', ')])),
    NEEDED_PRIVILEGES,
  )
  const functions = await query(
    asService,
    `SELECT oid::regprocedure::text AS name FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
       AND prosecdef AND prorettype <> 'trigger'::regtype`,
  )
  // Of those that run as the owner. Others can do what the role can.
  t.deepEqual(functions, [{ name: NEEDED_FUNCTION.replace(', ', ',') }])
})

test('there is no table that the grants forget', async (t) => {
  const grants = await readFile(new URL('grants.sql', SQL), 'utf8')
  const tables = await query(asService, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)

  for (const { tablename } of tables as { tablename: string }[]) {
    t.true(
      new RegExp(`^GRANT [A-Z, ]+ ON ${tablename} TO countersign_service;$`, 'm').test(grants),
      tablename,
    )
  }
})
