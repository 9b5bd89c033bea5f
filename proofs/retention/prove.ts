import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type pg from 'pg'
import { putHistory } from '../../test/support/history.ts'
import { Journeys, mailsSent, operation, seedUsers, startCountersign } from '../bench/countersign.ts'
import { layGround } from '../bench/ground.ts'
import { bytesOf, drivePaced, type Load } from '../bench/load.ts'
import type { Program } from '../processes.ts'
import { figure, percentile } from '../statistics.ts'

/*
 * `npm run retention:prove`: purges a database of a million challenges, each with its issuance and five events, while requests
 * continue. Then it erases a user who has a thousand challenges. Reports what that cost. Exits with 1 if something remained, a
 * request was refused, or a lock was held too long. For a short run use `--challenges 20000 --per-second 50`.
 */

const { values } = parseArgs({
  options: {
    challenges: { type: 'string', default: '1000000' },
    'of-one-user': { type: 'string', default: '1000' },
    'per-second': { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    'longest-lock-in-ms': { type: 'string', default: '1000' },
  },
})
const challenges = Number(values.challenges)
const ofOneUser = Number(values['of-one-user'])
const perSecond = Number(values['per-second'])
const size = perSecond * Number(values.seconds)
const longestLockInMs = Number(values['longest-lock-in-ms'])

const PURGE = fileURLToPath(new URL('purge-batches.ts', import.meta.url))
const SCOPE = 'mfa:users:write'
const ERASED = 'erased-user'
/** Live challenges, which the erasure must cancel. */
const LIVE = 20

interface Purge {
  readonly challenges: number
  readonly events: number
  readonly seconds: number
  readonly batches: readonly number[]
}

const wrong: string[] = []
const rule = (holds: boolean, otherwise: string) => holds || wrong.push(otherwise)

const ground = await layGround({ max_wal_size: '8GB', checkpoint_timeout: '15min' })
let program: Program | undefined
try {
  const url = await ground.createDatabase('retention', 'migrated')
  const client = await ground.client(url)
  console.log(`inserting ${challenges.toLocaleString('en-US')} challenges of the last hundred days`)
  await putHistory(client, challenges)
  // As its owner may decide.
  await client.query('UPDATE trail_retention SET minimum_days = 0')
  await seedUsers(client, size)
  program = await startCountersign(ground, url, 1)
  const { url: service } = program

  await load(client, service)
  const quiet = await load(client, service)
  const statements = await watchDeletions(url)
  const watch = watchLocks(await ground.client(url))
  const [purge, meanwhile] = await Promise.all([purged(url), load(client, service)])
  const longestWait = await watch.end()
  const longestDeletion = await statements.longestInMs()

  const rows = purge.challenges * 2 + purge.events
  console.log(
    `purged ${purge.challenges} challenges, as many issuances and ${purge.events} events in ${figure(purge.seconds)} s at the service's pace`,
  )
  const busyInSeconds = purge.batches.reduce((sum, ms) => sum + ms, 0) / 1000
  console.log(
    `  ${figure(rows / busyInSeconds)} rows a second of work, ${figure(rows / purge.seconds)} with the pauses`,
  )
  console.log(
    `  ${purge.batches.length} batches, each a transaction: p50 ${figure(percentile(purge.batches, 0.5))} ms, p99 ${figure(percentile(purge.batches, 0.99))} ms, longest ${figure(Math.max(...purge.batches))} ms`,
  )
  tell('requests, no purge', quiet)
  tell('requests, meanwhile', meanwhile)
  console.log(
    `  longest deletion by the server's own clock: ${figure(longestDeletion)} ms; longest wait for a lock that was seen: ${figure(longestWait)} ms`,
  )
  rule(longestDeletion <= longestLockInMs, 'a deletion took too long')
  rule(longestWait <= longestLockInMs, 'a statement waited too long for a lock')
  rule((await left(client)) === 0, 'something past its retention remains')

  await giveToOneUser(client, service)
  const erasure = await erased(client, service)
  console.log(
    `erased a user with ${ofOneUser} challenges, and ${LIVE} live ones, in ${figure(erasure.inMs)} ms (${erasure.status})`,
  )
  rule(erasure.status === 204, 'the erasure was refused')
  rule(erasure.inMs <= longestLockInMs, 'the erasure held its locks for too long')
  rule(erasure.left === 0, `${erasure.left} rows hold the address of the erased user`)
  rule(erasure.live === 0, `${erasure.live} challenges of the erased user are live`)
} finally {
  await program?.stop()
  await ground.leave()
}
for (const one of wrong) console.log(`WRONG: ${one}`)
if (wrong.length === 0) console.log('nothing remains, no request was refused, no lock was held for long')
process.exitCode = wrong.length === 0 ? 0 : 1

/** Creates and initiates `size` challenges, at the requested rate. */
async function load(db: pg.Client, service: string): Promise<readonly Load[]> {
  const journeys = await Journeys.prepare(ground, db, size)
  const creating = await drivePaced(service, journeys.creating(), perSecond)
  expectAll(201, creating)
  journeys.created(creating.bodies)
  const initiating = await drivePaced(service, journeys.initiating(), perSecond)
  expectAll(204, initiating)
  await mailsSent(db)
  return [creating, initiating]
}

function expectAll(status: number, { statuses }: Load): void {
  rule(
    statuses.get(status) === size,
    `answers: ${JSON.stringify([...statuses])} instead of ${size} × ${status}`,
  )
}

function tell(what: string, [creating, initiating]: readonly Load[]): void {
  const p = (of: Load, share: number) => figure(percentile(of.latencies, share))
  console.log(
    `  ${what}: create p50 ${p(creating!, 0.5)} p99 ${p(creating!, 0.99)} max ${p(creating!, 1)} ms, initiate p50 ${p(initiating!, 0.5)} p99 ${p(initiating!, 0.99)} max ${p(initiating!, 1)} ms`,
  )
}

async function purged(url: string): Promise<Purge> {
  const { stdout } = await promisify(execFile)(process.execPath, [PURGE], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    maxBuffer: 2 ** 24,
  })
  return JSON.parse(stdout) as Purge
}

/**
 * Measures how long deletions take from now on, by the server's own clock. The time that a client sees also depends on how busy the
 * machine is.
 */
async function watchDeletions(url: string) {
  const server = new URL(url)
  server.pathname = 'postgres'
  const db = await ground.client(server.href)
  await db.query('SELECT pg_stat_statements_reset()')
  return {
    longestInMs: async () => {
      const { rows } = await db.query<{ ms: number | null }>(
        `SELECT max(max_exec_time) AS ms FROM pg_stat_statements WHERE query LIKE 'DELETE%'`,
      )
      return rows[0]!.ms ?? Number.NaN
    },
  }
}

/** Checks every few milliseconds how long statements have been waiting for a lock. */
function watchLocks(db: pg.Client) {
  let longest = 0
  let ending = false
  const watching = (async () => {
    while (!ending) {
      const { rows } = await db.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM max(clock_timestamp() - waitstart)) * 1000)::float8 AS ms FROM pg_locks WHERE NOT granted`,
      )
      longest = Math.max(longest, rows[0]!.ms ?? 0)
      await wait(5)
    }
  })()
  return {
    end: async () => {
      ending = true
      await watching
      return longest
    },
  }
}

async function left(db: pg.Client): Promise<number> {
  const { rows } = await db.query(`
    SELECT count(*) FROM challenges c FULL JOIN otp_issuances i ON i.challenge_id = c.id
    WHERE c.expires_at < now() - interval '90 days' - interval '10 minutes' OR c.id IS NULL`)
  return Number(rows[0].count)
}

/** Gives the challenges of many users to one user, who is in the directory and also has live challenges. */
async function giveToOneUser(db: pg.Client, service: string): Promise<void> {
  const address = `${ERASED}@example.com`
  await db.query('SET session_replication_role = replica')
  await db.query(
    'CREATE TEMP TABLE taken AS SELECT id FROM challenges ORDER BY id DESC OFFSET 10000 LIMIT $1',
    [ofOneUser],
  )
  await db.query(
    'UPDATE challenges SET subject_user_id = $1, bucket = bucket_of($1) WHERE id IN (SELECT id FROM taken)',
    [ERASED],
  )
  await db.query(
    'UPDATE otp_issuances SET subject_user_id = $1, bucket = bucket_of($1), recipient = $2 WHERE challenge_id IN (SELECT id FROM taken)',
    [ERASED, address],
  )
  await db.query(
    'UPDATE challenge_events SET subject_user_id = $1, bucket = bucket_of($1) WHERE challenge_id IN (SELECT id FROM taken)',
    [ERASED],
  )
  await db.query('SET session_replication_role = DEFAULT')
  await db.query(`INSERT INTO users (user_id, email, created_at, updated_at) VALUES ($1, $2, now(), now())`, [
    ERASED,
    address,
  ])
  const token = await ground.token({ sub: 'payments', client_id: 'payments', scope: 'mfa:challenges:create' })
  const creating = Array.from({ length: LIVE }, (_, n) =>
    bytesOf({
      method: 'POST',
      path: '/internal/v1/mfa/challenges',
      headers: { Authorization: `Bearer ${token}`, 'plmr-idempotency-key': randomUUID() },
      body: { subjectUserId: ERASED, operation: operation(n) },
    }),
  )
  await drivePaced(service, creating, perSecond)
}

async function erased(db: pg.Client, service: string) {
  const token = await ground.token({ sub: 'crm', client_id: 'crm', scope: SCOPE })
  const startedAt = performance.now()
  const { status } = await fetch(`${service}/internal/v1/mfa/users/${ERASED}`, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}` },
  })
  const inMs = performance.now() - startedAt
  const { rows } = await db.query(
    `SELECT (SELECT count(*) FROM otp_issuances WHERE recipient LIKE $1)
        + (SELECT count(*) FROM users WHERE user_id = $2)
        + (SELECT count(*) FROM challenge_events WHERE details::text LIKE $3) AS "left",
      (SELECT count(*) FROM challenges
       WHERE subject_user_id = $2 AND status IN ('pending', 'verified') AND expires_at > now()) AS live`,
    [`${ERASED}@%`, ERASED, `%${ERASED}@%`],
  )
  return { status, inMs, left: Number(rows[0].left), live: Number(rows[0].live) }
}
