import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { NEEDED_PRIVILEGES } from '../../src/adapters/persistence-prisma/connection/database-check.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
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
let dataDir: Awaited<ReturnType<typeof createDataDir>>

/** As an operator does it: roles by a superuser, tables by their owner, grants after the migration. */
test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  const as = (user: string) => Object.assign(new URL(url), { username: user, password: PASSWORD }).href
  asService = as('countersign_service')
  await query(
    url,
    await readFile(new URL('roles.sql', SQL), 'utf8'),
    `ALTER ROLE countersign_owner PASSWORD '${PASSWORD}'`,
    `ALTER ROLE countersign_service PASSWORD '${PASSWORD}'`,
    `DO $$ DECLARE name text; BEGIN
       FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
         EXECUTE format('ALTER TABLE %I OWNER TO countersign_owner', name);
       END LOOP;
     END $$`,
  )
  await query(as('countersign_owner'), await readFile(new URL('grants.sql', SQL), 'utf8'))
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
  t.is(purge.stdout, '1 challenges and 1 events deleted\n')
  t.notRegex(service.output(), /42501|permission denied/)
})

for (const statement of [
  `UPDATE challenge_events SET actor = 'nobody'`,
  'TRUNCATE challenge_events',
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
