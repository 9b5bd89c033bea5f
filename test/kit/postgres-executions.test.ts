import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { EXECUTIONS_TABLE, PostgresExecutions } from '../../packages/kit/src/postgres-executions.ts'
import {
  executionStoreContract,
  REMEMBERED_FOR_IN_MS,
  UNDER_WAY_FOR_IN_MS,
} from '../contracts/execution-store.contract.ts'
import { createTestDatabase } from '../support/database.ts'

const SETTINGS = { rememberForInMs: REMEMBERED_FOR_IN_MS, underWayForInMs: UNDER_WAY_FOR_IN_MS }
const RESPONSE = { status: 202, headers: {}, body: '' }
/** Of the pool of each process that races: what `pg` opens unless told otherwise. */
const RACER_CONNECTIONS = 10
const NIL = '00000000-0000-0000-0000-000000000000'

let databaseUrl: string

test.before(async () => {
  databaseUrl = (await createTestDatabase()).url
})

/** A pool whose tables are its own test's, and the table of the store among them. */
async function createPool(t: ExecutionContext, max = 10) {
  const schema = `s${randomUUID().replaceAll('-', '')}`
  const url = new URL(databaseUrl)
  url.searchParams.set('options', `-c search_path=${schema}`)
  url.searchParams.set('application_name', schema)
  const pool = new pg.Pool({ connectionString: url.href, max })
  t.teardown(() => pool.end())
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(EXECUTIONS_TABLE)
  return { pool, url: url.href }
}

/** As if the runs had begun so much earlier. */
const letPass = (pool: pg.Pool, inMs: number) =>
  pool.query(
    `UPDATE countersign_executions SET
       begun_at = begun_at - $1::float8 * interval '1 millisecond',
       consumed_at = consumed_at - $1::float8 * interval '1 millisecond'`,
    [inMs],
  )

executionStoreContract('PostgresExecutions', async (t) => {
  const { pool } = await createPool(t)
  return {
    process: () => new PostgresExecutions(pool, SETTINGS),
    now: () => new Date(),
    later: async (inMs, at) => {
      await letPass(pool, inMs)
      await new PostgresExecutions(pool, SETTINGS).forget()
      return new Date(at.getTime() - inMs)
    },
  }
})

const execution = (consumedAt = new Date(), challengeId: string = randomUUID()) => ({
  challengeId,
  digest: 'd',
  consumedAt,
})

test('the README shows the table as it is', async (t) => {
  const readme = await readFile(new URL('../../packages/kit/README.md', import.meta.url), 'utf8')

  t.is(/^```sql\n(.*?)^```$/ms.exec(readme)?.[1], EXECUTIONS_TABLE.trimStart())
})

test('the table can be created again, and keeps what it has', async (t) => {
  const { pool } = await createPool(t)
  const executions = new PostgresExecutions(pool)
  const run = execution()
  await executions.begin(run)

  await pool.query(EXECUTIONS_TABLE)

  t.deepEqual(await executions.begin(run), { state: 'under-way' })
})

test('a table from before runs had names gets the column, and its runs can still be ended', async (t) => {
  const { pool } = await createPool(t)
  const executions = new PostgresExecutions(pool)
  const [old, next] = [execution(), execution()]
  await executions.begin(old)
  await pool.query('ALTER TABLE countersign_executions DROP COLUMN run')
  await t.throwsAsync(executions.begin(next), { message: /run/ }, 'nothing runs before the table has it')

  await pool.query(EXECUTIONS_TABLE)

  t.deepEqual(await executions.begin(old), { state: 'under-way' })
  await executions.abandon(old.challengeId, randomUUID())
  t.deepEqual(await executions.begin(old), { state: 'under-way' })
  await executions.abandon(old.challengeId)
  t.like(await executions.begin(old), { state: 'run' })
  t.like(await executions.begin(next), { state: 'run' })
})

test('the privileges that the table names are enough', async (t) => {
  const { pool } = await createPool(t)
  const role = `r${randomUUID().replaceAll('-', '')}`
  const { rows } = await pool.query('SELECT current_schema() AS schema')
  await pool.query(
    `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${rows[0].schema} TO ${role};
     GRANT SELECT, INSERT, UPDATE, DELETE ON countersign_executions TO ${role}`,
  )
  const client = await pool.connect()
  t.teardown(() => client.release(true))
  await client.query(`SET ROLE ${role}`)
  const executions = new PostgresExecutions(client)
  const run = execution()

  t.is((await executions.begin(run)).state, 'run')
  await executions.markNotKnown(run.challengeId)
  await executions.finish(run.challengeId, RESPONSE)
  await executions.abandon(run.challengeId)
  t.is(await executions.forget(), 0)
  t.is((await executions.begin(run)).state, 'finished')
})

test('what one process has forgotten does not run in another that remembers for longer', async (t) => {
  const { pool } = await createPool(t)
  const [forgetful, other] = [{ rememberForInMs: 1000 }, { rememberForInMs: 1e10 }].map(
    (options) => new PostgresExecutions(pool, options),
  )
  const run = execution(new Date(Date.now() - 10_000))
  await forgetful!.begin(run)
  await forgetful!.finish(run.challengeId, RESPONSE)

  t.is(await forgetful!.forget(), 1)

  t.is((await other!.begin(run)).state, 'not-known')
  t.is(await other!.forget(), 0)
  t.is((await other!.begin(run)).state, 'not-known')
})

test('what was forgotten does not run after the clock of the database was set back', async (t) => {
  const { pool } = await createPool(t)
  const run = execution(new Date(Date.now() - 10_000))
  const ahead = new PostgresExecutions(pool, { rememberForInMs: -3_600_000 })
  const inTime = new PostgresExecutions(pool, SETTINGS)
  await inTime.begin(run)
  await inTime.finish(run.challengeId, RESPONSE)

  // An hour that the database believed to have passed.
  t.is(await ahead.forget(), 1)

  await inTime.forget()
  t.is((await inTime.begin(run)).state, 'not-known')
})

test('more runs than one statement deletes are all forgotten', async (t) => {
  const { pool } = await createPool(t)
  await pool.query(
    `INSERT INTO countersign_executions (challenge_id, digest, consumed_at)
     SELECT gen_random_uuid(), 'd', now() - interval '1 year' FROM generate_series(1, 2500)`,
  )
  const executions = new PostgresExecutions(pool)
  const recent = execution()
  await executions.begin(recent)

  t.is(await executions.forget(), 2500)

  const { rows } = await pool.query('SELECT challenge_id FROM countersign_executions ORDER BY 1')
  t.deepEqual(
    rows.map(({ challenge_id }) => challenge_id),
    [NIL, recent.challengeId],
  )
})

test('a table without its first row runs nothing and forgets nothing', async (t) => {
  const { pool } = await createPool(t)
  const executions = new PostgresExecutions(pool)
  await pool.query('DELETE FROM countersign_executions')

  await t.throwsAsync(executions.begin(execution()), { message: /nil UUID/ })
  await t.throwsAsync(executions.forget(), { message: /nil UUID/ })
})

test('the first row is no run, whatever is said of it', async (t) => {
  const { pool } = await createPool(t)
  const executions = new PostgresExecutions(pool)

  t.is((await executions.begin(execution(new Date(), NIL))).state, 'not-known')
  await executions.finish(NIL, RESPONSE)
  await executions.markNotKnown(NIL)
  await executions.abandon(NIL)
  t.is((await executions.begin(execution(new Date(), NIL))).state, 'not-known')
  t.is((await executions.begin(execution())).state, 'run')
})

test('a table that is away fails the beginning', async (t) => {
  const { pool } = await createPool(t)
  await pool.query('DROP TABLE countersign_executions')

  await t.throwsAsync(new PostgresExecutions(pool).begin(execution()), { message: /does not exist/ })
})

test('a beginning that waits for another one that is rolled back gets the run', async (t) => {
  const { pool } = await createPool(t)
  const run = execution()
  const dying = await pool.connect()
  await dying.query('BEGIN')
  t.is((await new PostgresExecutions(dying).begin(run)).state, 'run')

  const waiting = new PostgresExecutions(pool).begin(run)
  await untilBlocked(pool)
  dying.release(true)

  t.is((await waiting).state, 'run')
})

test('a beginning that began before its run is forgotten does not run it again', async (t) => {
  const { pool } = await createPool(t)
  const run = execution(new Date(Date.now() - 10_000))
  const executions = new PostgresExecutions(pool, { rememberForInMs: 1000 })
  await executions.begin(run)
  await executions.finish(run.challengeId, RESPONSE)
  // The first statement of `forget`, not committed yet: the beginning sees the table as it was before.
  const forgetting = await pool.connect()
  await forgetting.query('BEGIN')
  await forgetting.query(
    `UPDATE countersign_executions SET consumed_at = now() WHERE challenge_id = '${NIL}'`,
  )
  const beginning = executions.begin(run)
  await untilBlocked(pool)

  await forgetting.query(`DELETE FROM countersign_executions WHERE challenge_id = '${run.challengeId}'`)
  await forgetting.query('COMMIT')
  forgetting.release()

  t.is((await beginning).state, 'not-known')
})

async function untilBlocked(pool: pg.Pool, sessions = 1): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE application_name = current_setting('application_name') AND wait_event_type = 'Lock'`,
    )
    if (rows.length >= sessions) return
  }
}

test('processes that race for the same approvals, while others forget, begin each of them once', async (t) => {
  const { pool, url } = await createPool(t)
  const runs = Array.from({ length: 100 }, () => execution())
  const racers = await Promise.all(Array.from({ length: 4 }, () => startRacer(t, url)))
  // All have begun their work before one of them can end it.
  const holding = await pool.connect()
  await holding.query('BEGIN; LOCK TABLE countersign_executions')

  const racing = racers.map(async (racer) => {
    racer.send(runs.map((run) => ({ ...run, consumedAt: run.consumedAt.toISOString() })))
    const [ids] = (await once(racer, 'message')) as [string[]]
    return ids
  })
  await untilBlocked(pool, racers.length * RACER_CONNECTIONS)
  await holding.query('COMMIT')
  holding.release()
  const begun = await Promise.all(racing)

  t.deepEqual(begun.flat().toSorted(), runs.map(({ challengeId }) => challengeId).toSorted())
  const { rows } = await pool.query('SELECT outcome, count(*)::int FROM countersign_executions GROUP BY 1')
  t.deepEqual(
    rows.toSorted((one, other) => (one.outcome < other.outcome ? -1 : 1)),
    [
      { outcome: 'forgotten', count: 1 },
      { outcome: 'under-way', count: 100 },
    ],
  )
})

/** A process that is connected, and waits for what to begin. */
async function startRacer(t: ExecutionContext, url: string): Promise<ChildProcess> {
  const racer = fork(fileURLToPath(new URL('executions-racer.ts', import.meta.url)), [url])
  t.teardown(() => racer.kill('SIGKILL'))
  await once(racer, 'message')
  return racer
}
