import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { PrismaAuditTrail } from '../../../src/adapters/persistence-prisma/audit-trail/prisma-audit-trail.ts'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { DatabaseCheck } from '../../../src/adapters/persistence-prisma/connection/database-check.ts'
import { PrismaMailOutcomes } from '../../../src/adapters/persistence-prisma/mail-outcomes/prisma-mail-outcomes.ts'
import { PrismaOtpOutbox } from '../../../src/adapters/persistence-prisma/otp-outbox/prisma-otp-outbox.ts'
import { PrismaRetention } from '../../../src/adapters/persistence-prisma/retention/prisma-retention.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import { PrismaUserRegistry } from '../../../src/adapters/persistence-prisma/users/prisma-user-registry.ts'
import { RecordMailEvent } from '../../../src/application/mail/record-mail-event.ts'
import type { Clock } from '../../../src/application/ports/clock.ts'
import type { CheckResult } from '../../../src/contracts/diagnostic-check.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { issued, opened, PROVENANCE } from '../../contracts/stores.ts'
import { ALICE, afterNoon, NOON } from '../../domain/examples.ts'
import { type PoolerOptions, startPooler } from '../../doubles/pooler.ts'
import { SettableClock } from '../../doubles/settable-clock.ts'
import { resultsOf } from '../../support/check-results.ts'
import { createTestDatabase, missingDatabaseUrl, query } from '../../support/database.ts'
import { createRole } from '../../support/database-role.ts'
import { SEALS } from '../../support/seals.ts'

const REAL_CLOCK = { now: () => new Date() }

async function examined(
  url: string,
  {
    production = true,
    clock = REAL_CLOCK,
    mailRemedyOf = () => undefined,
    sharding,
  }: {
    production?: boolean
    clock?: Clock
    mailRemedyOf?: (reply: string) => string | undefined
    sharding?: 'none' | 'citus'
  } = {},
) {
  const findings = await resultsOf(new DatabaseCheck({ url, production, sharding, mailRemedyOf }, clock))
  return {
    findings,
    of: (wanted: string): CheckResult | undefined => findings.find(({ name }) => name === wanted),
    /** What is not well, by name. */
    unwell: findings.filter(({ level }) => level !== 'ok').map(({ name, level }) => `${name} ${level}`),
  }
}

test('a database that is as it should be is well, in development also for a superuser', async (t) => {
  const { url } = await createTestDatabase()

  const development = await examined(url, { production: false })
  t.deepEqual(
    development.findings.map(({ name, level }) => `${name} ${level}`),
    [
      'database ok',
      'database-tls ok',
      'clock ok',
      'pooler ok',
      'database-role ok',
      'migrations ok',
      'outbox ok',
    ],
  )
  t.regex(development.of('database')!.found, /^PostgreSQL 18 answers in [\d.]+ ms and holds \d+ /)

  t.deepEqual((await examined(url)).unwell, ['database-role warning'])
})

test('a role without rights is told by the statements that grant them, and with these the service works', async (t) => {
  const { url } = await createTestDatabase()
  const { role, url: own } = await createRole(t, url)

  const before = await examined(own)
  t.deepEqual(before.unwell, ['database-role failed'])
  const { remedy } = before.of('database-role')!
  t.true(remedy!.includes(`GRANT SELECT, INSERT ON challenge_events TO ${role};`), remedy)
  await query(url, remedy!)
  t.deepEqual((await examined(own)).unwell, [])

  const { prisma, statements, close } = connectPrisma({ url: own, onConnectionLost: () => {} })
  t.teardown(close)
  const stores = {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
  const user = { userId: 'alice', email: ALICE, locale: undefined, displayName: undefined }
  t.is(await stores.registry.put(user, NOON, PROVENANCE), 'created')
  const { id } = await opened(stores, 'alice')
  await issued(stores, id)
  const [claimed] = await stores.outbox.claim(1, NOON, afterNoon(30))
  await stores.outbox.record(claimed!.issuance, ...OtpIssuance.markSent(claimed!.issuance, 'm', NOON))
  await new RecordMailEvent(new PrismaMailOutcomes(statements), { now: () => NOON }).execute({
    issuanceId: claimed!.issuance.id,
    event: { outcome: 'bounced', kind: 'hard-bounce', at: NOON },
    origin: { requestId: 'r' },
  })
  t.is((await stores.trail.eventsOf(id)).at(-1)?.type, 'address-suppressed')
  await stores.registry.erase('alice', NOON, PROVENANCE)
  t.is((await stores.stepUps.load(id))?.challenge.status, 'cancelled')
  const future = new Date('2100-01-01T00:00:00.000Z')
  const retention = new PrismaRetention(prisma)
  for await (const _ of retention.purge(future, 100));
  for await (const _ of retention.purgeTrail(1, 100));
})

test('each right that is missing alone is found', async (t) => {
  const { url } = await createTestDatabase()
  const { role, url: own } = await createRole(t, url)
  const { remedy } = (await examined(own)).of('database-role')!
  await query(url, remedy!)

  for (const [object, privilege] of [
    ['users', 'DELETE'],
    ['subject_standings', 'UPDATE'],
    ['challenges', 'INSERT'],
    ['otp_issuances', 'SELECT'],
    ['_prisma_migrations', 'SELECT'],
    ['trail_retention', 'SELECT'],
    ['trail_anchors', 'INSERT'],
    ['SEQUENCE challenge_events_id_seq', 'USAGE'],
    ['FUNCTION purge_challenge_events(integer, integer)', 'EXECUTE'],
  ]) {
    await query(url, `REVOKE ${privilege} ON ${object} FROM ${role}`)
    t.is((await examined(own)).of('database-role')?.remedy, `GRANT ${privilege} ON ${object} TO ${role};`)
    await query(url, `GRANT ${privilege} ON ${object} TO ${role}`)
  }
})

test('a right to change the trail is found, with the statement that takes it away', async (t) => {
  const { url } = await createTestDatabase()
  const { role, url: own } = await createRole(t, url)
  await query(url, (await examined(own)).of('database-role')!.remedy!)

  for (const [table, privileges] of [
    ['challenge_events', 'UPDATE, DELETE'],
    ['challenge_events', 'TRUNCATE, TRIGGER'],
    ['trail_heads', 'UPDATE'],
    ['trail_anchors', 'DELETE'],
    ['trail_retention', 'UPDATE'],
  ]) {
    await query(url, `GRANT ${privileges} ON ${table} TO ${role}`)
    const found = (await examined(own)).of('database-role')!
    t.like(found, { level: 'warning', remedy: `REVOKE ${privileges} ON ${table} FROM ${role};` })
    await query(url, found.remedy!)
    t.is((await examined(own)).of('database-role')!.level, 'ok')
  }
})

test('a role that owns the trail is found in production, and a purge that belongs to somebody else', async (t) => {
  const { url } = await createTestDatabase()
  const { role, url: own } = await createRole(t, url)
  await query(url, (await examined(own)).of('database-role')!.remedy!)
  await query(url, `ALTER TABLE challenge_events OWNER TO ${role}`)

  const [other] = (await query(url, 'SELECT quote_ident(current_user) AS name')) as { name: string }[]
  const orphaned = (await examined(own)).of('database-role')!
  t.like(orphaned, {
    level: 'failed',
    remedy: `ALTER FUNCTION purge_challenge_events(integer, integer) OWNER TO ${role};`,
  })
  await query(url, orphaned.remedy!)
  t.is((await examined(own, { production: false })).of('database-role')!.level, 'ok')
  t.regex((await examined(own, { production: true })).of('database-role')!.found, /owns the audit trail/)
  await query(url, `REASSIGN OWNED BY ${role} TO ${other!.name}`)
})

test('a server before version 15 is worth a warning', async (t) => {
  const { url } = await createTestDatabase()
  t.regex((await examined(url)).of('database')!.found, /^PostgreSQL 18 answers/)

  // A function of this name stands in for the server's own, which names the version.
  await query(
    url,
    `CREATE SCHEMA older;
     CREATE FUNCTION older.current_setting(name text) RETURNS text LANGUAGE sql AS
       $$ SELECT CASE name WHEN 'server_version_num' THEN '140022' ELSE pg_catalog.current_setting(name) END $$;
     DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = older, pg_catalog, public', current_database()); END $$`,
  )

  t.like((await examined(url)).of('database'), {
    level: 'warning',
    remedy: 'Upgrade to PostgreSQL 18, with which the service is tested',
  })
})

test('migrations are told by name: pending, broken off, and those of a newer version', async (t) => {
  const { url } = await createTestDatabase()
  const record = (name: string, finished: string) =>
    query(
      url,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES (gen_random_uuid(), 'x', '${name}', now(), ${finished}, 0)`,
    )

  await record('29990101000000_newer', 'now()')
  const newer = (await examined(url)).of('migrations')
  t.is(newer?.level, 'warning')
  t.regex(newer?.found ?? '', /29990101000000_newer/)

  await query(url, `DELETE FROM _prisma_migrations WHERE migration_name = '20261122000000_init'`)
  const pending = (await examined(url)).of('migrations')
  t.like(pending, { level: 'failed', found: 'pending: 20261122000000_init', remedy: 'countersign migrate' })

  await record('20261122000000_init', 'NULL')
  const broken = (await examined(url)).of('migrations')
  t.is(broken?.level, 'failed')
  t.regex(broken?.found ?? '', /^broken off half way: 20261122000000_init$/)
})

test('a database without tables has all migrations pending, and nothing else is wrong with it', async (t) => {
  const url = missingDatabaseUrl()
  await query((await createTestDatabase()).url, `CREATE DATABASE ${new URL(url).pathname.slice(1)}`)

  t.deepEqual((await examined(url, { production: false })).unwell, ['migrations failed'])
})

test('a clock that is off by a second is worth a warning, one that is off by half a minute fails', async (t) => {
  const { url } = await createTestDatabase()
  const clockOff = (seconds: number) => ({ now: () => new Date(Date.now() + seconds * 1000) })

  t.like((await examined(url, { clock: clockOff(5) })).of('clock'), { level: 'warning' })
  t.regex((await examined(url, { clock: clockOff(5) })).of('clock')!.found, /ms behind this one's$/)
  t.like((await examined(url, { clock: clockOff(-60) })).of('clock'), { level: 'failed' })
  t.regex((await examined(url, { clock: clockOff(-60) })).of('clock')!.found, /ms ahead of this one's$/)
})

function storesIn(t: ExecutionContext, url: string) {
  const { prisma, statements, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  return {
    stepUps: new PrismaStepUps(statements, SEALS),
    registry: new PrismaUserRegistry(prisma),
    outbox: new PrismaOtpOutbox(statements, SEALS),
    trail: new PrismaAuditTrail(prisma),
  }
}

test('doctor compares where the tables are with the configuration', async (t) => {
  const { url } = await createTestDatabase()

  t.deepEqual((await examined(url, { production: false, sharding: 'citus' })).unwell, [
    'database-sharding failed',
  ])
  t.is((await examined(url)).of('database-sharding'), undefined)

  // What distribute.sql leaves. The functions of decisions.sql are not there.
  await query(url, 'CREATE TABLE idempotency_keys (place text)')
  t.deepEqual((await examined(url, { production: false })).unwell, ['database-sharding failed'])
  t.regex(
    (await examined(url, { sharding: 'citus' })).of('database-sharding')!.found,
    /save_decisions\(integer, json\).* are missing$/,
  )
})

test('mails that have been due for half a minute are worth a warning', async (t) => {
  const { url } = await createTestDatabase()
  const stores = storesIn(t, url)
  await issued(stores, (await opened(stores)).id)
  const clock = new SettableClock(afterNoon(29))

  t.like((await examined(url, { clock })).of('outbox'), {
    level: 'ok',
    found: '1 mail waits, the oldest for 29 s',
  })
  clock.pass(1)
  t.like((await examined(url, { clock })).of('outbox'), { level: 'warning' })
})

test('the oldest waiting mail is reported with the last reply to it, and with what to do about that', async (t) => {
  const { url } = await createTestDatabase()
  const stores = storesIn(t, url)
  await issued(stores, (await opened(stores)).id)
  const clock = new SettableClock(afterNoon(8))
  const outbox = async () =>
    (await examined(url, { clock, mailRemedyOf: (reply) => `do ${reply}` })).of('outbox')
  const attempt = async (seconds: number, reply?: string) => {
    const [claimed] = await stores.outbox.claim(1, afterNoon(seconds), afterNoon(seconds + 30))
    const { issuance } = claimed!
    await stores.outbox.record(issuance, ...OtpIssuance.defer(issuance, afterNoon(seconds), reply))
  }

  await attempt(1)
  t.like(await outbox(), { level: 'ok', found: '1 mail waits, the oldest for 8 s' })
  await attempt(2, 'smtp connection ETIMEDOUT')
  await attempt(4, 'postmark 503/100; smtp AUTH 535 5.7.139')
  await attempt(8)
  await issued(stores, (await opened(stores)).id)

  t.deepEqual(await outbox(), {
    name: 'outbox',
    level: 'warning',
    found:
      '2 mails wait, the oldest for 8 s; after 4 attempts the last reply was postmark 503/100; smtp AUTH 535 5.7.139',
    remedy: 'do postmark 503/100. do smtp AUTH 535 5.7.139',
  })
})

for (const [what, url, remedy] of [
  ['a server that nobody runs', async () => 'postgresql://nobody:secret@127.0.0.1:1/none', /host and port/],
  ['a database that is not there', async () => missingDatabaseUrl(), /countersign migrate creates/],
  [
    'a wrong password',
    async () => {
      const url = new URL((await createTestDatabase()).url)
      url.password = 'secret'
      return url.href
    },
    /user and password/,
  ],
] as const) {
  test(`${what} is told by what to do, and nothing of the URL is repeated`, async (t) => {
    const { findings } = await examined(await url())

    t.is(findings.length, 1)
    t.like(findings[0], { name: 'database', level: 'failed' })
    t.regex(findings[0]!.remedy ?? '', remedy)
    t.notRegex(JSON.stringify(findings), /secret|nobody/)
  })
}

test('a server that says nothing is given up in time', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo

  const { findings } = await examined(`postgresql://nobody:x@127.0.0.1:${port}/none`)

  t.like(findings[0], { level: 'failed', found: 'it does not answer' })
})

async function throughPooler(t: ExecutionContext, options: PoolerOptions, parameters = '') {
  const { url, server } = await startPooler((await createTestDatabase()).url, options)
  t.teardown(() => {
    server.close()
  })
  return examined(`${url}${parameters}`, { production: false })
}

test('a pooler that gives each connection a session of its own is no trouble', async (t) => {
  const { of } = await throughPooler(t, { mode: 'session' })

  t.like(of('pooler'), { level: 'ok' })
  t.regex(of('pooler')!.found, /through a pooler/)
})

test('a pooler in transaction mode that knows prepared statements is well, and the way of the migrations is named', async (t) => {
  const { of, unwell } = await throughPooler(t, { mode: 'transaction', preparedStatements: true })

  t.like(of('pooler'), { level: 'ok' })
  t.regex(of('pooler')!.found, /countersign migrate has to connect to the server itself/)
  t.deepEqual(unwell, ['statement-timeout warning'])
})

test('a pooler in transaction mode that does not know prepared statements fails, and says which setting does', async (t) => {
  const { of } = await throughPooler(t, { mode: 'transaction' })

  t.like(of('pooler'), { level: 'failed' })
  t.regex(of('pooler')!.remedy ?? '', /max_prepared_statements/)
})

test('a pooler in transaction mode that does not know prepared statements is none the worse where none is prepared', async (t) => {
  const { of } = await throughPooler(t, { mode: 'transaction' }, '?pgbouncer=true')

  t.like(of('pooler'), { level: 'ok' })
  t.regex(of('pooler')!.found, /nothing is prepared/)
})

test('a pooler that refuses the time-out of statements is told by the setting that lets it pass', async (t) => {
  const { findings } = await throughPooler(t, { mode: 'transaction', refusesParameters: true })

  t.like(findings[0], { level: 'failed', found: 'it refuses connections (08P01)' })
  t.regex(
    findings[0]!.remedy ?? '',
    /ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout, lock_timeout/,
  )
})
