import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type pg from 'pg'
import { cpuOfThreads, residentMemoryInMiB } from '../processes.ts'
import { figure, median, percentile } from '../statistics.ts'
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
 * `npm run bench:mail`: measures how long after its answer a mail leaves, how fast a backlog drains, and how that slows requests. The
 * transport alone and the drain take turns, with the same requests beside both, so that both meet the same machine.
 */

const { values } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    backlog: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '1' },
  },
})
const perSecond = Number(values['per-second'])
const size = perSecond * Number(values.seconds)
const backlog = Number(values.backlog)
const rounds = Number(values.rounds)

const TRANSPORT = fileURLToPath(new URL('transport.ts', import.meta.url))

const ground = await layGround()
const url = await ground.createDatabase('mail', 'migrated')
const client = await ground.client(url)
await seedUsers(client, Math.max(size, backlog))
// The bench inserts its backlog itself, without seals.
const program = await startCountersign(ground, url, Number(values.workers), {
  UNSEALED_UNTIL: new Date(Date.now() + 86_400_000).toISOString(),
})
try {
  const warm = await initiated(1000)
  await drive(program.url, await warm.verifying(), CONNECTIONS)
  const idleMemory = residentMemoryInMiB(program.pid)

  const journeys = await created(size)
  const initiating = await drivePaced(program.url, journeys.initiating(), perSecond)
  expectAll(204, initiating)
  await mailsSent(client)
  const delays = await delaysOf(journeys, initiating)
  console.log(`${perSecond} initiates a second, ${values.workers} worker(s):`)
  tell('answer to :initiate', initiating.latencies)
  tell('from the answer to the hand-over', delays)

  const drains: Round[] = []
  for (let n = 1; n <= rounds; n++) {
    const round = await measureRound()
    drains.push(round)
    console.log(`round ${n} of ${rounds}, ${perSecond} :verify a second throughout:`)
    tell('answer to :verify, nothing to mail', round.quiet)
    tell('answer to :verify, while another process mails', round.besideTransport)
    tell(`answer to :verify, while ${backlog} are mailed`, round.besideDrain)
    for (const who of ['nodemailer', 'transport', 'drain'] as const) {
      const { perSecond: mails, cpu } = round[who]
      console.log(`  ${who.padEnd(48)} ${figure(mails)} mails a second, ${figure(cpu)} ms of CPU for 1,000`)
    }
  }
  const p99 = (times: readonly number[]) => percentile(times, 0.99)
  console.log('over all rounds, median (least to most):')
  for (const who of ['nodemailer', 'transport'] as const) {
    spread(
      `mails a second, drain to ${who} alone`,
      drains.map((round) => round.drain.perSecond / round[who].perSecond),
    )
    spread(
      `mails for the CPU of one thread, drain to ${who} alone`,
      drains.map((round) => round[who].cpu / round.drain.cpu),
    )
  }
  spread(
    'p99 of :verify, draining to quiet',
    drains.map(({ besideDrain, quiet }) => p99(besideDrain) / p99(quiet)),
  )
  spread(
    'p99 of :verify, another process mailing to quiet',
    drains.map(({ besideTransport, quiet }) => p99(besideTransport) / p99(quiet)),
  )
  console.log(
    `memory: ${figure(idleMemory)} MiB before the drains, ${figure(residentMemoryInMiB(program.pid))} MiB after`,
  )
  await expectCount(client, `SELECT count(*) FROM otp_issuances WHERE status <> 'sent'`, 0)
} finally {
  await program.stop()
  await ground.leave()
}

interface Round {
  /** Latencies of `:verify`, in ms. */
  readonly quiet: readonly number[]
  readonly besideTransport: readonly number[]
  readonly besideDrain: readonly number[]
  readonly nodemailer: Mailing
  readonly transport: Mailing
  readonly drain: Mailing
}

interface Mailing {
  /** Mails a second. */
  readonly perSecond: number
  /** The CPU of the thread that mails, in ms for 1,000 mails. Not a number except on Linux. */
  readonly cpu: number
}

async function measureRound(): Promise<Round> {
  const quiet = await verifyWhile(await initiated(size), async () => {})

  const besideNodemailer = await verifyWhile(await initiated(size), () => alone('nodemailer'))
  const besideTransport = await verifyWhile(await initiated(size), () => alone('service'))

  const besideDrain = await verifyWhile(await initiated(size), drain)
  return {
    quiet: quiet.latencies,
    besideTransport: besideTransport.latencies,
    besideDrain: besideDrain.latencies,
    nodemailer: besideNodemailer.result,
    transport: besideTransport.result,
    drain: besideDrain.result,
  }
}

/** Queues the backlog, and waits until the service has sent it. */
async function drain(): Promise<Mailing> {
  const cpuBefore = cpuOfThreads('mails', program.pid)
  await queueBacklog(client, backlog)
  const seconds = await drained(client, performance.now())
  return {
    perSecond: backlog / seconds,
    cpu: ((cpuOfThreads('mails', program.pid) - cpuBefore) * 1000) / backlog,
  }
}

/** Checks a code of each journey at the pace of the bench, while something else goes on. */
async function verifyWhile<Result>(journeys: Journeys, other: () => Promise<Result>) {
  const requests = await journeys.verifying()
  const running = other()
  const load = await drivePaced(program.url, requests, perSecond)
  expectAll(204, load)
  return { latencies: load.latencies, result: await running }
}

/** The upper limit: composing and sending as many mails, without claims and records. */
async function alone(kind: 'service' | 'nodemailer'): Promise<Mailing> {
  const args = [TRANSPORT, ground.smtp.url, String(backlog), kind]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout)
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

function spread(what: string, ratios: readonly number[]): void {
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map(figure)
  console.log(`  ${what.padEnd(48)} ${middle} x (${least} to ${most})`)
}
