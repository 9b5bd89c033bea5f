import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type pg from 'pg'
import { figure, percentile } from '../statistics.ts'
import {
  expectCount,
  Journeys,
  mailsSent,
  seedStandings,
  seedUsers,
  startCountersign,
} from './countersign.ts'
import { CONNECTIONS, layGround } from './ground.ts'
import { drive, drivePaced, type Load } from './load.ts'

/*
 * `npm run bench:mail`: measures how long after its answer a mail leaves, how fast a backlog drains, and how that slows requests.
 */

const { values } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    backlog: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '1' },
  },
})
const perSecond = Number(values['per-second'])
const size = perSecond * Number(values.seconds)
const backlog = Number(values.backlog)

const TRANSPORT = fileURLToPath(new URL('transport.ts', import.meta.url))

const ground = await layGround()
const url = await ground.createDatabase('mail', 'migrated')
const client = await ground.client(url)
await seedUsers(client, Math.max(size, backlog))
const program = await startCountersign(ground, url, Number(values.workers))
try {
  const warm = await initiated(1000)
  await drive(program.url, await warm.verifying(), CONNECTIONS)

  console.log(
    `the transport alone, in a process of its own: ${figure(await transportAlone())} mails a second`,
  )

  const journeys = await created(size)
  const initiating = await drivePaced(program.url, journeys.initiating(), perSecond)
  expectAll(204, initiating)
  await mailsSent(client)
  const delays = await delaysOf(journeys, initiating)
  console.log(`${perSecond} initiates a second, ${values.workers} worker(s):`)
  tell('answer to :initiate', initiating.latencies)
  tell('from the answer to the hand-over', delays)

  const before = await initiated(size)
  const meanwhile = await initiated(size)
  const alone = await drivePaced(program.url, await before.verifying(), perSecond)
  expectAll(204, alone)
  tell(`answer to :verify at ${perSecond}/s, nothing to mail`, alone.latencies)

  const verifying = await meanwhile.verifying()
  const startedAt = performance.now()
  await queueBacklog(client, backlog)
  console.log(`${backlog} mails queued in ${figure((performance.now() - startedAt) / 1000)} s`)
  const drain = drained(client, performance.now())
  const busy = await drivePaced(program.url, verifying, perSecond)
  expectAll(204, busy)
  tell(`answer to :verify at ${perSecond}/s while they are mailed`, busy.latencies)
  const seconds = await drain
  console.log(`all handed over in ${figure(seconds)} s: ${figure(backlog / seconds)} mails a second`)
  await expectCount(client, `SELECT count(*) FROM otp_issuances WHERE status <> 'sent'`, 0)
} finally {
  await program.stop()
  await ground.leave()
}

/** The upper limit: composing and sending, without claims and records. */
async function transportAlone(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [TRANSPORT, ground.smtp.url])
  return Number(stdout)
}

async function created(count: number): Promise<Journeys> {
  const journeys = await Journeys.prepare(ground, client, count)
  const { bodies } = await drive(program.url, journeys.creating(), CONNECTIONS)
  journeys.created(bodies)
  return journeys
}

async function initiated(count: number): Promise<Journeys> {
  const journeys = await created(count)
  expectAll(204, await drive(program.url, journeys.initiating(), CONNECTIONS))
  await mailsSent(client)
  return journeys
}

async function delaysOf(journeys: Journeys, { answeredAt }: Load): Promise<number[]> {
  const issuances = await journeys.issuanceIds()
  return answeredAt.map((at, n) => Math.max(0, ground.smtp.takenAt.get(issuances[n]!)! - at))
}

/** Inserts codes whose mails are due now, as after an outage of the mail server. */
async function queueBacklog(client: pg.Client, count: number): Promise<void> {
  await seedStandings(client, count)
  await client.query(
    `WITH c AS (
       INSERT INTO challenges (
         id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
         attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint
       )
       SELECT gen_random_uuid(), 'payments', 'user-' || n, 'payments.initiate', repeat('d', 43),
         '[{"label": "Amount", "value": "EUR 1,250.00"}, {"label": "To", "value": "ACME GmbH, DE89 3704 0044 0532 0130 00"}]',
         'pending', 5, 1, now(), now() + interval '15 minutes', gen_random_uuid(), 'f'
       FROM generate_series(0, $1::integer - 1) n
       RETURNING id, subject_user_id
     )
     INSERT INTO otp_issuances (
       id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
       delivery_attempts, next_attempt_at
     )
     SELECT gen_random_uuid(), id, subject_user_id, 1, 'k1', subject_user_id || '@example.com', now(),
       now() + interval '10 minutes', 'queued', 0, now()
     FROM c`,
    [count],
  )
}

async function drained(client: pg.Client, startedAt: number): Promise<number> {
  for (;;) {
    const { rows } = await client.query(`SELECT 1 FROM otp_issuances WHERE status = 'queued' LIMIT 1`)
    if (rows.length === 0) return (performance.now() - startedAt) / 1000
    await wait(250)
  }
}

function expectAll(status: number, { statuses, latencies }: Load): void {
  if (statuses.get(status) !== latencies.length) throw new Error(`not all answers were ${status}`)
}

function tell(what: string, times: readonly number[]): void {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => figure(percentile(times, share)))
  console.log(`  ${what.padEnd(48)} p50 ${p50} ms  p95 ${p95} ms  p99 ${p99} ms`)
}
