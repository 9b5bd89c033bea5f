import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type pg from 'pg'
import { HmacBounceAddresses } from '../../src/adapters/bounce-addresses-hmac/hmac-bounce-addresses.ts'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { MAIL_SYSTEMS, noticeOf, shapeOf } from '../../test/adapters/bounce-intake/notices.ts'
import { cpuOfThreads } from '../processes.ts'
import { figure, median, percentile } from '../statistics.ts'
import { Journeys, mailsSent, seedStandings, seedUsers, startCountersign } from './countersign.ts'
import { CONNECTIONS, layGround } from './ground.ts'
import { drive, drivePaced } from './load.ts'
import type { Notice } from './relay.ts'
import type { RelayPlan, RelayResult } from './relay-thread.ts'

/*
 * `npm run bench:notices`: measures how many notices of bounces one process takes, and how that slows `:verify`. Each round verifies
 * without notices and beside them, so that both meet the same machine. Each notice is about another mail and says something new.
 */

const { values } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '200' },
    notices: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    /** Over which the relay brings its notices. */
    connections: { type: 'string', default: '20' },
  },
})
const perSecond = Number(values['per-second'])
const noticesPerSecond = Number(values.notices)
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const DOMAIN = 'bounces.bank.example'
const FATES = ['delivered', 'waiting', 'full', 'unknown', 'policy'] as const

const ground = await layGround()
const url = await ground.createDatabase('notices', 'migrated')
const client = await ground.client(url)
const size = perSecond * seconds
const count = noticesPerSecond * seconds
await seedUsers(client, Math.max(size, count))
await seedStandings(client, Math.max(size, count))
const addresses = new HmacBounceAddresses([{ bytes: ground.otpKey }], DOMAIN)
const port = await freePort()
const program = await startCountersign(ground, url, 1, {
  BOUNCE_DOMAIN: DOMAIN,
  BOUNCE_INTAKE_PORT: String(port),
})
try {
  await drive(program.url, await (await initiated(1000)).verifying(), CONNECTIONS)
  await give(await noticesOf(await sentMails(1000)), noticesPerSecond)

  const results: {
    quiet: number[]
    beside: number[]
    taken: number
    answers: readonly number[]
    cpu: number
  }[] = []
  for (let round = 1; round <= rounds; round++) {
    const quiet = await verified(async () => undefined)
    const notices = await noticesOf(await sentMails(count))
    const cpuBefore = cpuOfThreads('mails', program.pid)
    const beside = await verified(() => give(notices, noticesPerSecond))
    const cpu = (cpuOfThreads('mails', program.pid) - cpuBefore) / notices.length
    const { taken, answers } = beside.result!
    results.push({ quiet: quiet.latencies, beside: beside.latencies, taken, answers, cpu })
    console.log(`round ${round} of ${rounds}, ${perSecond} :verify a second throughout:`)
    tell('answer to :verify, no notices', quiet.latencies)
    tell(`answer to :verify, beside ${noticesPerSecond} notices a second`, beside.latencies)
    tell('answer to a notice', answers)
    console.log(`  ${figure(taken)} notices taken a second, ${figure(cpu)} ms of CPU of the mail thread each`)
  }

  const burst = await give(await noticesOf(await sentMails(count)), Number.POSITIVE_INFINITY)
  console.log(`as fast as they come, without requests: ${figure(burst.taken)} notices a second`)
  const ratios = results.map(({ quiet, beside }) => percentile(beside, 0.99) / percentile(quiet, 0.99))
  console.log(
    `p99 of :verify, beside notices to quiet, median (least to most): ${figure(median(ratios))} x (${figure(Math.min(...ratios))} to ${figure(Math.max(...ratios))})`,
  )
  await expectStored(client)
} finally {
  await program.stop()
  await ground.leave()
}

/** Checks a code of each journey at the pace of the bench, while something else goes on. */
async function verified<Result>(other: () => Promise<Result>) {
  const requests = await (await initiated(size)).verifying()
  const running = other()
  const { latencies, statuses } = await drivePaced(program.url, requests, perSecond)
  if (statuses.get(204) !== latencies.length) throw new Error('not all answers were 204')
  return { latencies: [...latencies], result: await running }
}

async function initiated(count: number): Promise<Journeys> {
  const journeys = await Journeys.prepare(ground, client, count)
  journeys.created((await drive(program.url, journeys.creating(), CONNECTIONS)).bodies)
  await drive(program.url, journeys.initiating(), CONNECTIONS)
  await mailsSent(client)
  return journeys
}

/** Inserts codes whose mails are sent. Returns the ids of the issuances. */
async function sentMails(count: number): Promise<string[]> {
  const { rows } = await client.query(
    `WITH c AS (
       INSERT INTO challenges (
         id, client_id, subject_user_id, operation_type, operation_digest, operation_summary, status,
         attempts_remaining, issuance_count, created_at, expires_at, idempotency_key, request_fingerprint
       )
       SELECT gen_random_uuid(), 'payments', 'user-' || n, 'payments.initiate', repeat('d', 43), '[]',
         'pending', 5, 1, now(), now() + interval '1 minute', gen_random_uuid(), 'f'
       FROM generate_series(0, $1::integer - 1) n
       RETURNING id, subject_user_id
     )
     INSERT INTO otp_issuances (
       id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at, status,
       delivery_attempts, sent_at
     )
     SELECT gen_random_uuid(), id, subject_user_id, 1, 'k1', 'elsewhere-' || subject_user_id || '@example.com', now(),
       now() + interval '1 minute', 'sent', 1, now()
     FROM c
     RETURNING id`,
    [count],
  )
  return rows.map(({ id }) => id)
}

/** One about each mail, in the shapes of four mail systems. */
async function noticesOf(issuanceIds: readonly string[]): Promise<Notice[]> {
  const shapes = MAIL_SYSTEMS.flatMap((system) =>
    FATES.flatMap((fate) => {
      const shape = shapeOf(system, fate)
      return shape ? [{ system, shape }] : []
    }),
  )
  return issuanceIds.map((id, n) => {
    const { system, shape } = shapes[n % shapes.length]!
    const to = addresses.of(id)
    return {
      envelope: `MAIL FROM:<>\r\nRCPT TO:<${to}>\r\nDATA\r\n`,
      content: `${noticeOf(system, shape, to, id)}\r\n.\r\n`,
    }
  })
}

/** Brings the notices at a pace. An answer counts from the moment when its notice was due. */
async function give(notices: readonly Notice[], pace: number): Promise<RelayResult> {
  const workerData: RelayPlan = { port, connections: Number(values.connections), notices, pace }
  const relay = new Worker(new URL('./relay-thread.ts', import.meta.url), { workerData })
  const [result] = (await once(relay, 'message')) as [RelayResult]
  return result
}

async function expectStored(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT count(*) FROM otp_issuances
     WHERE recipient LIKE 'elsewhere-%' AND status = 'sent' AND delayed_at IS NULL`,
  )
  if (Number(rows[0].count) !== 0) throw new Error(`${rows[0].count} notices were answered and not stored`)
}

function tell(what: string, times: readonly number[]): void {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => figure(percentile(times, share)))
  console.log(`  ${what.padEnd(48)} p50 ${p50} ms  p95 ${p95} ms  p99 ${p99} ms`)
}
