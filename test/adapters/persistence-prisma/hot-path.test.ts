import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { connectPrisma } from '../../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Grouping } from '../../../src/adapters/persistence-prisma/connection/grouped-statement.ts'
import { Prisma } from '../../../src/adapters/persistence-prisma/generated/client.ts'
import {
  claimDueNotices,
  recordNotice,
} from '../../../src/adapters/persistence-prisma/lock-notices/lock-notice-statements.ts'
import {
  claimDue,
  RECORDING,
} from '../../../src/adapters/persistence-prisma/otp-outbox/otp-outbox-statements.ts'
import { claimDueSecurityNotices } from '../../../src/adapters/persistence-prisma/security-notices/security-notice-statements.ts'
import {
  FINDING,
  LOADING,
  OPENING,
  SAVING,
} from '../../../src/adapters/persistence-prisma/step-ups/grouped-step-up-statements.ts'
import { PrismaStepUps } from '../../../src/adapters/persistence-prisma/step-ups/prisma-step-ups.ts'
import {
  findByIdempotencyKey,
  insertChallenge,
  loadStepUp,
  saveDecision,
  saveIssuingDecision,
  saveLockingDecision,
} from '../../../src/adapters/persistence-prisma/step-ups/step-up-statements.ts'
import { bucketInId, bucketOf } from '../../../src/domain/bucket.ts'
import { Challenge } from '../../../src/domain/challenge.ts'
import { EmailAddress } from '../../../src/domain/email-address.ts'
import { LockNotice } from '../../../src/domain/lock-notice.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { StepUp } from '../../../src/domain/step-up.ts'
import { idOf } from '../../contracts/stores.ts'
import {
  ALICE,
  afterNoon,
  demand,
  freshStepUp,
  NOON,
  noticeDemand,
  POLICY,
  TRANSFER,
} from '../../domain/examples.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, registerUser, until } from '../../journeys/client.ts'
import { createDataDir, startProcess } from '../../journeys/service-process.ts'
import { createTestDatabase, query, serverUrl } from '../../support/database.ts'
import { putHistory } from '../../support/history.ts'
import { call } from '../../support/http-call.ts'
import { SEALS } from '../../support/seals.ts'

const [CHALLENGE, OPENED] = Challenge.open(
  { id: idOf('alice'), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER },
  POLICY,
  NOON,
)
const BY_ALICE = { actor: 'user:alice', requestId: 'r', remoteAddress: '203.0.113.7' }
const { issued, ...WITHOUT_ISSUANCE } = StepUp.issueOtp(freshStepUp(), demand(), POLICY, NOON)
const MAILBOX = { key: EmailAddress.mailboxKey(ALICE), atMost: 40 }
const [SENT, SENT_EVENT] = OtpIssuance.markSent(issued, 'm', NOON)
const NOTICE = LockNotice.queue(randomUUID(), ALICE, CHALLENGE, afterNoon(900), NOON)

const STATEMENTS: Readonly<Record<string, Prisma.Sql>> = {
  load: loadStepUp({ id: CHALLENGE.id, bucket: bucketOf('alice') }),
  'save, with a new issuance': saveIssuingDecision({ ...WITHOUT_ISSUANCE, issued }, MAILBOX, BY_ALICE),
  'save, without one': saveDecision(WITHOUT_ISSUANCE, BY_ALICE),
  open: insertChallenge(CHALLENGE, OPENED, { key: 'k', fingerprint: 'f' }, BY_ALICE, 20),
  'find by idempotency key': findByIdempotencyKey('payments', 'k'),
  claim: claimDue(50, NOON, afterNoon(30)),
  record: RECORDING.alone({ claimed: issued, outcome: SENT, event: SENT_EVENT }),
  'save, with the notice of a lock': saveLockingDecision(WITHOUT_ISSUANCE, NOTICE, BY_ALICE),
  'claim notices': claimDueNotices(50, NOON, afterNoon(30)),
  'claim security notices': claimDueSecurityNotices(50, NOON, afterNoon(30)),
  'record a notice': recordNotice(NOTICE, ...LockNotice.markSent(NOTICE, 'm', NOON)),
}

/** The statements for several requests, by the number of requests. */
const GROUPS: Readonly<Record<string, (members: number) => Prisma.Sql>> = {
  load: groupOf(LOADING, (id) => ({ id, bucket: bucketInId(id) })),
  save: groupOf(SAVING, (id) => ({
    decision: {
      ...{ challenge: { ...WITHOUT_ISSUANCE.challenge, id }, events: WITHOUT_ISSUANCE.events },
      ...{ standing: { ...WITHOUT_ISSUANCE.standing, subjectUserId: id }, issued: { ...issued, id } },
      mailbox: MAILBOX,
    },
    provenance: BY_ALICE,
    seals: SEALS.ofDecision({ ...WITHOUT_ISSUANCE, issued }),
  })),
  open: groupOf(OPENING, (id) => ({
    ...{ challenge: { ...CHALLENGE, id }, event: OPENED, provenance: BY_ALICE },
    ...{ idempotency: { key: id, fingerprint: 'f' }, mostLive: 20, demandSeal: SEALS.ofDemand(CHALLENGE) },
  })),
  'find by idempotency key': groupOf(FINDING, (key) => ({
    ...{ clientId: 'payments', subjectUserId: CHALLENGE.subjectUserId, key },
  })),
  record: groupOf(RECORDING, (id) => ({
    ...{ claimed: { ...issued, id }, outcome: { ...SENT, id }, event: SENT_EVENT },
  })),
}

function groupOf<Input>({ columns, together }: Grouping<Input>, inputOf: (id: string) => Input) {
  return (members: number) => {
    const inputs = Array.from({ length: members }, () => inputOf(randomUUID()))
    return together(JSON.stringify(inputs.map((input, n) => ({ n, ...columns(input) }))), inputs[0]!)
  }
}

let filled: Promise<string> | undefined
let empty: Promise<string> | undefined
const DATABASES = {
  'that is empty': async () => {
    empty ??= createTestDatabase().then(({ url }) => url)
    return empty
  },
  'of 20,000 challenges': async () => {
    filled ??= filledDatabase()
    return filled
  },
}

for (const [name, { text }] of Object.entries(STATEMENTS)) {
  test(`of the hot statements, "${name}" finds every row by an index`, async (t) => {
    filled ??= filledDatabase()

    assertByIndex(t, await query(await filled, `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`))
  })
}

for (const [what, connect] of Object.entries(DATABASES)) {
  for (const [name, statement] of Object.entries(GROUPS)) {
    test(`in a database ${what}, a group of "${name}" finds every row by an index, however many share it`, async (t) => {
      const url = await connect()

      const { text } = statement(1)
      assertByIndex(t, await query(url, `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`))
      for (const members of [1, 2, 32]) {
        assertByIndex(t, await planOf(url, statement(members)))
      }
    })
  }
}

/** The plan for these very parameters, as a session without prepared statements makes it. */
async function planOf(url: string, { text, values }: Prisma.Sql): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: `EXPLAIN (FORMAT JSON) ${text}`, values })).rows
  } finally {
    await client.end()
  }
}

function assertByIndex(t: ExecutionContext, rows: readonly unknown[]): void {
  const [{ Plan: plan }] = (rows[0] as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN']
  const onTables = nodesOf(plan).filter((node) => 'Relation Name' in node)

  t.true(onTables.length > 0)
  t.deepEqual(new Set(onTables.map((node) => node['Node Type'])).difference(BY_INDEX), new Set())
}

test('a challenge and its subject are updated in place from the first code to the consumption', async (t) => {
  const { url } = await createTestDatabase()
  const { statements, close } = connectPrisma({ url, onConnectionLost: (error) => t.fail(error.message) })
  const stepUps = new PrismaStepUps(statements, SEALS)
  const journeys = 20
  for (let n = 0; n < journeys; n++) {
    const subjectUserId = `user-${n}`
    const id = idOf(subjectUserId)
    const [challenge, opened] = Challenge.open(
      { id, clientId: 'payments', subjectUserId, operation: TRANSFER },
      POLICY,
      NOON,
    )
    await stepUps.open(challenge, opened, { key: id, fingerprint: 'f' }, BY_ALICE)
    const demanded = { ...demand(), id: randomUUID() }
    await stepUps.save(StepUp.issueOtp((await stepUps.load(id))!, demanded, POLICY, NOON), BY_ALICE)
    const [verified] = StepUp.verifyOtp((await stepUps.load(id))!, () => true, noticeDemand(), POLICY, NOON)
    await stepUps.save(verified, BY_ALICE)
    const { standing, ...stepUp } = (await stepUps.load(id))!
    const [consumed, event] = Challenge.consume(stepUp.challenge, { key: 'k', fingerprint: 'f' }, NOON)
    await stepUps.save({ challenge: consumed, standing, events: [event] }, BY_ALICE)
  }
  await close()

  // A session tells of its updates when it ends, and a little after.
  const tables = await until(
    async () =>
      (await query(
        url,
        `SELECT relname AS name, n_tup_upd::integer AS updates, n_tup_hot_upd::integer AS "inPlace"
         FROM pg_stat_user_tables WHERE relname IN ('challenges', 'subject_standings') ORDER BY relname`,
      )) as { updates: number }[],
    (seen) => seen.every(({ updates }) => updates === 3 * journeys),
  )
  t.deepEqual(tables, [
    { name: 'challenges', updates: 3 * journeys, inPlace: 3 * journeys },
    { name: 'subject_standings', updates: 3 * journeys, inPlace: 3 * journeys },
  ])
})

test('create is one statement; initiate, verify and consume are two each', async (t) => {
  const database = await createTestDatabase()
  const name = new URL(database.url).pathname.slice(1)
  const dataDir = await createDataDir()
  const { url, end } = await startProcess({ DATABASE_URL: database.url, DATA_DIR: dataDir.path })
  t.teardown(async () => {
    await end()
    await dataDir.remove()
  })
  const { userId, email, token } = await registerUser(url)
  await openChallenge(url, userId)
  // Sessions that are open know nothing of it, so they have to go.
  await query(
    serverUrl(),
    `ALTER DATABASE ${name} SET log_statement = 'all'`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  )
  await until(
    async () => (await call(url, 'GET', '/readyz')).status,
    (status) => status === 200,
  )
  const statements = await statementLog()

  const challenge = await openChallenge(url, userId)
  t.deepEqual(await statements(), ['step-ups.open'])
  await call(url, 'POST', challenge.initiate, { token })
  t.deepEqual(await statements(), ['step-ups.load', 'step-ups.save-with-code'])
  const [mail] = await mailsTo(url, email)
  await statements()
  const verified = await call(url, 'POST', challenge.verify, { token, json: { totp: codeIn(mail!) } })
  t.deepEqual(await statements(), ['step-ups.load', 'step-ups.save'])
  const consumed = await call(url, 'POST', challenge.consume, {
    token: await paymentsToken(url),
    headers: { 'plmr-idempotency-key': randomUUID() },
    json: challenge.proof,
  })
  t.deepEqual(await statements(), ['step-ups.load', 'step-ups.save'])
  t.deepEqual([verified.status, consumed.status], [204, 200])
})

test('a wrong code is two statements, and so is the one that locks', async (t) => {
  const database = await createTestDatabase()
  const { statements, close } = connectPrisma({
    url: database.url,
    onConnectionLost: (error) => t.fail(error.message),
  })
  t.teardown(close)
  const texts: string[] = []
  const rows = statements.send.bind(statements)
  statements.send = (statement) => {
    texts.push(statement.text.match(/^\/\* (\S+) \*\//)![1]!)
    return rows(statement)
  }
  const stepUps = new PrismaStepUps(statements, SEALS)
  await stepUps.open(CHALLENGE, OPENED, { key: 'k', fingerprint: 'f' }, BY_ALICE)
  texts.length = 0
  const policy = { ...POLICY, subjectMaxFailures: 2 }

  for (let failure = 1; failure <= 2; failure++) {
    const stepUp = (await stepUps.load(CHALLENGE.id))!
    const [decision] = StepUp.verifyOtp(stepUp, () => false, noticeDemand(randomUUID()), policy, NOON)
    t.true(await stepUps.save(decision, BY_ALICE))
  }

  t.deepEqual(texts, ['step-ups.load', 'step-ups.save', 'step-ups.load', 'step-ups.save-with-lock-notice'])
})

const BY_INDEX = new Set(['Bitmap Heap Scan', 'Index Scan', 'Index Only Scan', 'ModifyTable'])

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly PlanNode[]
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** A database with enough in it that the planner would not rather read a whole table. */
async function filledDatabase(): Promise<string> {
  const { url } = await createTestDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await putHistory(client, 20_000)
  await client.query(`
    INSERT INTO lock_notices (
      id, challenge_id, subject_user_id, recipient, locked_at, locked_until, status, delivery_attempts, sent_at
    )
    SELECT gen_random_uuid(), id, subject_user_id, 'a@example.com', created_at, expires_at, 'sent', 1, created_at
    FROM challenges`)
  await client.query(`
    INSERT INTO security_notices (
      id, kind, subject_user_id, recipient, happened_at, status, delivery_attempts, finished_at
    )
    SELECT gen_random_uuid(), 'address-changed', subject_user_id, 'a@example.com', created_at, 'sent', 1, created_at
    FROM challenges`)
  await client.query('VACUUM (ANALYZE) lock_notices, security_notices')
  await client.end()
  return url
}

/** Gives the names of the statements that were logged since the last look, without those of jobs. */
async function statementLog(): Promise<() => Promise<string[]>> {
  const [row] = await query(serverUrl(), 'SHOW data_directory')
  const file = join(dirname((row as { data_directory: string }).data_directory), 'server.log')
  let length = (await readFile(file)).length
  return async () => {
    const log = await readFile(file)
    const lines = log.subarray(length).toString()
    length = log.length
    const names = [...lines.matchAll(/\[(\d+)\] LOG: {2}(?:execute (\S+)|statement): (.*)/g)]
    const inTransaction = new Set<string>()
    return names.flatMap(([, session = '', name = '<unnamed>', text = '']) => {
      if (/^BEGIN/.test(text)) inTransaction.add(session)
      const ofJob =
        inTransaction.has(session) ||
        /^(?:otp-outbox|lock-notices|security-notices|service-events)\./.test(name) ||
        /trail_anchors|pg_snapshot|purge|challenge_expiries/.test(text)
      if (/^(?:COMMIT|ROLLBACK)/.test(text)) inTransaction.delete(session)
      return ofJob ? [] : [name]
    })
  }
}

for (const [where, parameters, prepared, timeout] of [
  ['on a session of its own', '', 1, '5s'],
  ['behind PgBouncer', '?pgbouncer=true', 0, '0'],
] as const) {
  test(`${where}, ${prepared} statement stays prepared, and the connection's time-out is ${timeout}`, async (t) => {
    const { url } = await createTestDatabase()
    const { statements, close } = connectPrisma({ url: `${url}${parameters}`, onConnectionLost: () => {} })
    t.teardown(close)

    await statements.query(loadStepUp({ id: CHALLENGE.id, bucket: bucketOf('alice') }))

    const [seen] = await statements.query<{ prepared: number; timeout: string }>(Prisma.sql`
      SELECT count(*)::integer AS prepared, current_setting('statement_timeout') AS timeout FROM pg_prepared_statements`)
    t.deepEqual(seen, { prepared, timeout })
  })
}
