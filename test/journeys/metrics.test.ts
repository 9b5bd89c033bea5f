import { createHash, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  codeIn,
  crmToken,
  mailsTo,
  openChallenge,
  paymentsToken,
  registerUser,
  until,
  wrongCode,
} from './client.ts'
import { production } from './command.ts'
import { createDataDir, type ServiceProcess, startDeliverer, startProcess } from './service-process.ts'

let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let env: Record<string, string>

test.before(async () => {
  database = await createTestDatabase()
  dataDir = await createDataDir()
  env = { DATABASE_URL: database.url, DATA_DIR: dataDir.path }
})

test.after.always(async () => {
  await dataDir?.remove()
})

const NOWHERE = 'postgresql://nobody:x@127.0.0.1:1/none'

/** The URL in the lines that a process writes, in production as in development, once its management port is open. */
async function managementUrl(output: () => string): Promise<string> {
  const found = () =>
    /management ready\s+url: "(\S+)"/.exec(output())?.[1] ??
    /"url":"([^"]+)","msg":"management ready"/.exec(output())?.[1]
  return (await until(async () => found(), Boolean))!
}

/** What Go's `ParseFloat` takes, of what is written here; an average of nothing is not a number. */
const VALUE = /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|nan)$/i

/** What a scrape tells: each sample by its name and labels as they stand there. */
async function scrape(url: string) {
  const response = await fetch(`${url}/metrics`)
  const text = await response.text()
  const samples = new Map<string, number>()
  for (const line of response.ok ? text.split('\n') : []) {
    if (line === '' || /^# (?:HELP|TYPE) \w+ \S/.test(line)) continue
    const sample = /^(\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)+\})?) (\S+)$/.exec(line)
    if (!sample || !VALUE.test(sample[2]!)) throw new Error(`not a line of the text format: ${line}`)
    samples.set(sample[1]!, Number(sample[2]))
  }
  return { status: response.status, text, samples }
}

/** The samples of one metric by their labels. */
const samplesOf = ({ samples }: { samples: Map<string, number> }, name: string) =>
  Object.fromEntries(
    [...samples].flatMap(([key, value]) => (key.startsWith(`${name}{`) ? [[key, value]] : [])),
  )

test('a journey is counted to the last step, and nothing of it is told', async (t) => {
  // On the database of the other tests, the hand-over might be another process's, and be counted there.
  const { url: DATABASE_URL } = await createTestDatabase()
  const service = await startProcess({ ...env, DATABASE_URL })
  t.teardown(() => service.end())
  const { url } = service
  const management = await managementUrl(service.output)

  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)
  const asUser = { token: user.token }
  t.is((await call(url, 'POST', challenge.initiate, asUser)).status, 204)
  t.is((await call(url, 'POST', challenge.initiate, asUser)).status, 429)
  const [mail] = await mailsTo(url, user.email)
  const code = codeIn(mail!)
  const verify = (totp: string) => call(url, 'POST', challenge.verify, { ...asUser, json: { totp } })
  t.is((await verify(wrongCode(code))).status, 400)
  t.is((await verify(code)).status, 204)
  t.is((await verify(code)).status, 410)

  const payments = await paymentsToken(url)
  const key = randomUUID()
  const consume = (digest: string) =>
    call(url, 'POST', challenge.consume, {
      token: payments,
      headers: { 'plmr-idempotency-key': key },
      json: { ...challenge.proof, digest },
    })
  t.is((await consume(createHash('sha256').update(key).digest('base64url'))).status, 422)
  t.is((await consume(challenge.proof.digest)).status, 200)
  t.is((await consume(challenge.proof.digest)).status, 200)

  const other = await openChallenge(url, user.userId)
  const cancel = `/internal/v1/mfa/challenges/${other.id}:cancel`
  t.is((await call(url, 'POST', cancel, { token: payments, json: {} })).status, 204)
  t.is((await call(url, 'POST', challenge.initiate, { token: 'counterfeit' })).status, 401)
  t.regex(service.output(), /status: 401\s+code: "UNAUTHORIZED"\s+refusal: "ERR_JWS_INVALID"/)
  t.is((await call(url, 'GET', `/${user.userId}/${encodeURIComponent(user.email)}`)).status, 404)

  // The mail is there to be read a moment before its hand-over is on record.
  const seen = await until(
    () => scrape(management),
    (each) => each.samples.get('countersign_time_to_handover_seconds_count') === 1,
  )
  t.is(seen.status, 200)

  t.deepEqual(samplesOf(seen, 'countersign_events_total'), {
    'countersign_events_total{type="user-put",reason=""}': 1,
    'countersign_events_total{type="challenge-opened",reason=""}': 2,
    'countersign_events_total{type="otp-issued",reason=""}': 1,
    'countersign_events_total{type="otp-sent",reason=""}': 1,
    'countersign_events_total{type="otp-rejected",reason=""}': 1,
    'countersign_events_total{type="challenge-verified",reason=""}': 1,
    'countersign_events_total{type="consumption-refused",reason="digest-mismatch"}': 1,
    'countersign_events_total{type="consumption-refused",reason="signature-mismatch"}': 0,
    'countersign_events_total{type="challenge-consumed",reason=""}': 1,
    'countersign_events_total{type="challenge-cancelled",reason="by-client"}': 1,
  })
  t.deepEqual(samplesOf(seen, 'countersign_delivery_attempts_total'), {
    'countersign_delivery_attempts_total{outcome="sent",transport="mailbox"}': 1,
    'countersign_delivery_attempts_total{outcome="deferred",transport=""}': 0,
    'countersign_delivery_attempts_total{outcome="failed",transport=""}': 0,
    'countersign_delivery_attempts_total{outcome="unrecorded",transport=""}': 0,
    'countersign_delivery_attempts_total{outcome="outdated",transport=""}': 0,
  })
  t.is(seen.samples.get('countersign_time_to_verification_seconds_count'), 1)
  t.is(seen.samples.get('countersign_outbox_queued'), 0)
  t.is(seen.samples.get('countersign_outbox_oldest_due_age_seconds'), 0)
  t.is(seen.samples.get('countersign_retention_overdue_seconds'), 0)
  t.is(seen.samples.get('countersign_tokens_refused_total{reason="other"}'), 1)
  t.true(seen.samples.get('countersign_database_connections{state="idle"}')! >= 1)

  const MFA = '/internal/v1/mfa'
  const requests = Object.entries(samplesOf(seen, 'countersign_http_request_duration_seconds_count'))
    .filter(([labels]) => !labels.includes('/dev/'))
    .map(([labels, count]) => [...labels.matchAll(/"([^"]*)"/g)].map(([, value]) => value).concat(`${count}`))
  t.deepEqual(
    requests.map((each) => each.join(' ')).toSorted(),
    [
      `${MFA}/users/:userId PUT 201  1`,
      `${MFA}/challenges POST 201  2`,
      `${MFA}/totp-email/:challengeId\\\\:initiate POST 204  1`,
      `${MFA}/totp-email/:challengeId\\\\:initiate POST 429 BAD_REQUEST 1`,
      `${MFA}/totp-email/:challengeId\\\\:initiate POST 401 UNAUTHORIZED 1`,
      `${MFA}/totp-email/:challengeId\\\\:verify POST 400 INVALID_OTP 1`,
      `${MFA}/totp-email/:challengeId\\\\:verify POST 204  1`,
      `${MFA}/totp-email/:challengeId\\\\:verify POST 410 STEP_UP_REQUEST_CONTEXT_NOT_FOUND 1`,
      `${MFA}/challenges/:challengeId\\\\:consume POST 422 OPERATION_DOES_NOT_MATCH_CHALLENGE 1`,
      `${MFA}/challenges/:challengeId\\\\:consume POST 200  2`,
      `${MFA}/challenges/:challengeId\\\\:cancel POST 204  1`,
      'unmatched GET 404 RESOURCE_UNKNOWN 1',
    ].toSorted(),
  )

  const secrets = [
    ...[user.userId, user.email, user.email.split('@')[0]!, user.token, payments, 'counterfeit'],
    ...[challenge.id, other.id, challenge.proof.signature, challenge.proof.digest, key],
  ]
  for (const secret of secrets) t.false(seen.text.includes(secret), secret)
  const labels = [...seen.text.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map(([, value]) => value!)
  for (const value of labels) {
    t.false(
      [code, wrongCode(code)].some((each) => value.includes(each)),
      value,
    )
    t.notRegex(value, /@|[0-9a-f]{8}-|127\.0\.0\.1/)
  }
})

test('what a change of the directory ends is counted with it', async (t) => {
  const service = await startProcess(env)
  t.teardown(() => service.end())
  const { url } = service
  const [moved, erased] = [await registerUser(url), await registerUser(url)]
  for (const { userId } of [moved, moved, erased]) await openChallenge(url, userId)
  const token = await crmToken(url)
  const path = ({ userId }: { userId: string }) => `/internal/v1/mfa/users/${userId}`

  const json = { email: 'elsewhere@example.com' }
  t.is((await call(url, 'PUT', path(moved), { token, json })).status, 200)
  t.is((await call(url, 'DELETE', path(erased), { token })).status, 204)
  t.is((await call(url, 'DELETE', path(erased), { token })).status, 204)

  const { samples } = await scrape(await managementUrl(service.output))
  const counted = (type: string, reason = '') =>
    samples.get(`countersign_events_total{type="${type}",reason="${reason}"}`)
  t.is(counted('challenge-cancelled', 'email-address-changed'), 2)
  t.is(counted('challenge-cancelled', 'user-erased'), 1)
  t.is(counted('user-put'), 3)
  t.is(counted('user-erased'), 1)
})

test('a scrape answers while the database is away, without what only the database knows', async (t) => {
  const service = await startProcess({ ...env, DATABASE_URL: NOWHERE })
  t.teardown(() => service.end())
  const management = await managementUrl(service.output)
  t.is((await call(service.url, 'GET', '/readyz')).status, 503)

  const { status, samples } = await scrape(management)

  t.is(status, 200)
  t.is(
    samples.get(
      'countersign_http_request_duration_seconds_count{route="/readyz",method="GET",status="503",code=""}',
    ),
    1,
  )
  t.false([...samples.keys()].some((key) => /^countersign_(?:outbox|retention)/.test(key)))
})

test('metrics are on a port of their own, and nowhere else', async (t) => {
  const service = await startProcess(env)
  t.teardown(() => service.end())
  const management = await managementUrl(service.output)

  t.is((await call(service.url, 'GET', '/metrics')).status, 404)
  t.is((await fetch(`${management}/healthz`)).status, 404)
  t.is((await scrape(management)).status, 200)
})

for (const workers of ['1', '2']) {
  test(`metrics are on an address of their own, this machine unless told otherwise (WORKERS=${workers})`, async (t) => {
    const everywhere = { ...production(database.url), WORKERS: workers, HOST: '0.0.0.0' }
    const service = await startProcess(everywhere)
    t.teardown(() => service.end())
    const other = await startProcess({ ...everywhere, MANAGEMENT_HOST: '127.0.0.3' })
    t.teardown(() => other.end())

    t.is(new URL(await managementUrl(service.output)).hostname, '127.0.0.1')
    t.is(new URL(await managementUrl(other.output)).hostname, '127.0.0.3')
  })
}

test('a management port that is taken ends the start, and says so in a line', async (t) => {
  const service = await startProcess(env)
  t.teardown(() => service.end())
  const { port } = new URL(await managementUrl(service.output))

  const error = await t.throwsAsync(startProcess({ ...env, MANAGEMENT_PORT: port }))

  t.regex(
    error?.message ?? '',
    /the service ended with 1: .*Cannot start: MANAGEMENT_PORT is in use or not permitted: listen EADDRINUSE/s,
  )
})

test('a process that only delivers tells its metrics too, until it ends', async (t) => {
  const deliverer = await startDeliverer(env)
  t.teardown(() => deliverer.end('SIGKILL'))

  const { status, samples } = await scrape(deliverer.url)

  t.is(status, 200)
  t.is(samples.get('countersign_time_to_handover_seconds_count'), 0)
  t.is(await deliverer.end('SIGTERM'), 0)
})

/** A request on a connection of its own, since it is connections that are shared out among workers. */
function knock(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => response.resume().on('end', resolve)).on('error', reject)
  })
}

const ALIVE =
  'countersign_http_request_duration_seconds_count{route="/healthz",method="GET",status="200",code=""}'
const workersOf = ({ output }: ServiceProcess, msg: string) =>
  output()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${msg}"`))
    .map((line) => JSON.parse(line).pid as number)

test('the supervisor tells what its workers count together, one dead or not, and ends with them in order', async (t) => {
  const service = await startProcess({ ...production(database.url), WORKERS: '2' })
  t.teardown(() => service.end('SIGKILL'))
  const management = await managementUrl(service.output)
  await until(
    async () => workersOf(service, 'ready'),
    (pids) => pids.length === 2,
  )

  for (let n = 0; n < 20; n++) await knock(`${service.url}/healthz`)
  // A scrape goes without the outbox where the database takes too long, as on a busy machine.
  const together = await until(
    () => scrape(management),
    ({ samples }) => samples.has('countersign_outbox_queued'),
  )
  t.is(new Set(workersOf(service, 'request')).size, 2)
  t.is(together.samples.get(ALIVE), 20)
  t.is(together.samples.get('countersign_outbox_queued'), 0)
  const [version] = Object.values(samplesOf(together, 'countersign_build_info'))
  t.is(version, 1)

  const scrapes = Array.from({ length: 4 }, () => scrape(management))
  process.kill(workersOf(service, 'ready')[0]!, 'SIGKILL')
  scrapes.push(...Array.from({ length: 4 }, () => scrape(management)))
  for (const { status } of await Promise.all(scrapes)) t.is(status, 200)

  await until(
    async () => workersOf(service, 'ready'),
    (pids) => pids.length === 3,
  )
  const { samples } = await scrape(management)
  t.is(samples.get(ALIVE), 20)
  t.is(samples.get('countersign_worker_deaths_total'), 1)
  t.is(await service.end('SIGTERM'), 0, service.output())
})

test('a worker that hangs makes the scrape fail in the end, until it goes on', async (t) => {
  const service = await startProcess({ ...production(database.url), WORKERS: '2' })
  t.teardown(() => service.end('SIGKILL'))
  const management = await managementUrl(service.output)
  const [hanging] = await until(
    async () => workersOf(service, 'ready'),
    (pids) => pids.length === 2,
  )
  t.teardown(() => service.process.exitCode ?? process.kill(hanging!, 'SIGCONT'))

  process.kill(hanging!, 'SIGSTOP')
  t.is((await scrape(management)).status, 503)
  // The line takes a way of its own.
  const failed = /"message":"Worker \d+ does not answer".*"msg":"scrape failed"/
  t.regex(
    await until(
      async () => service.output(),
      (output) => failed.test(output),
    ),
    failed,
  )

  process.kill(hanging!, 'SIGCONT')
  const after = await until(
    () => scrape(management),
    ({ status }) => status === 200,
  )
  t.is(after.status, 200)
  t.is(await service.end('SIGTERM'), 0)
})

test('a supervisor that is told to stop while its workers start ends in order as well', async (t) => {
  const supervisor = await startProcess(
    { ...production(database.url), WORKERS: '2' },
    { said: 'management ready' },
  )
  t.teardown(() => supervisor.end('SIGKILL'))
  const early = scrape(supervisor.url)
  const exit = supervisor.end('SIGTERM')

  t.is((await early).status, 200)
  t.is(await exit, 0)
})

/** Makes a worker that exits say so in a file, and wait for another file, as a slow disk may make it wait. */
const waitAtExit = (exiting: string, mayExit: string) =>
  `--import=data:text/javascript,${encodeURIComponent(`
    import { appendFileSync, existsSync } from 'node:fs'
    const pause = new Int32Array(new SharedArrayBuffer(4))
    if (process.send) process.on('exit', () => {
      appendFileSync(${JSON.stringify(exiting)}, '.')
      while (!existsSync(${JSON.stringify(mayExit)})) Atomics.wait(pause, 0, 0, 20)
    })
  `)}`

test('a worker that has stopped, but takes long to exit, holds up no scrape', async (t) => {
  const [exiting, mayExit] = [join(dataDir.path, 'exiting'), join(dataDir.path, 'may-exit')]
  const service = await startProcess({
    ...{ ...production(database.url), WORKERS: '2' },
    NODE_OPTIONS: waitAtExit(exiting, mayExit),
  })
  t.teardown(() => service.end('SIGKILL'))
  t.teardown(() => writeFile(mayExit, ''))
  const management = await managementUrl(service.output)
  await until(
    async () => workersOf(service, 'ready'),
    (pids) => pids.length === 2,
  )

  const exit = service.end('SIGTERM')
  await until(
    () => readFile(exiting, 'utf8').catch(() => ''),
    (workers) => workers === '..',
  )

  t.is((await scrape(management)).status, 200)
  await writeFile(mayExit, '')
  t.is(await exit, 0)
})
