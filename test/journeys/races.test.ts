import test from 'ava'
import pg from 'pg'
import { createBucketedDatabase, type TestDatabase } from '../support/database.ts'
import { type GroupWatch, groupWatch } from '../support/group-watch.ts'
import { call } from '../support/http-call.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, registerUser, until, wrongCode } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* Three processes on one database, and every burst is spread over them. */

let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let services: ServiceProcess[]
let db: pg.Pool
let watches: GroupWatch[]

test.before(async () => {
  database = await createBucketedDatabase()
  dataDir = await createDataDir()
  const env = {
    DATABASE_URL: database.url,
    DATABASE_SHARDING: database.sharding,
    DATA_DIR: dataDir.path,
    LOG_LEVEL: 'warn',
    SUBJECT_MAX_FAILURES: '100',
  }
  watches = await Promise.all([groupWatch(), groupWatch(), groupWatch()])
  services = await Promise.all(watches.map((watch) => startProcess({ ...env, ...watch.env })))
  db = new pg.Pool({ connectionString: database.url })
})

test.after('in every process requests shared statements, and no burst made one fail', async (t) => {
  // With Citus, subjects are on different servers, and none shares a statement.
  if (database.sharding === 'none') for (const watch of watches) t.true((await watch.look()) > 0)
  for (const service of services)
    t.false(/"level":(50|60)|ERROR|FATAL/.test(service.output()), service.output())
})

test.after.always(async () => {
  await Promise.all(services?.map((service) => service.end()) ?? [])
  await db?.end()
  await dataDir?.remove()
})

const burst = (count: number, method: string, path: string, init: Parameters<typeof call>[3]) =>
  Promise.all(
    Array.from({ length: count }, (_, n) => call(services[n % services.length]!.url, method, path, init)),
  )

const statusesOf = (answers: readonly { status: number }[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, of]) => [
      status,
      of!.length,
    ]),
  )

const eventsOf = async (challengeId: string, type: string) =>
  (
    await db.query('SELECT 1 FROM challenge_events WHERE challenge_id = $1 AND type = $2', [
      challengeId,
      type,
    ])
  ).rowCount

async function issued() {
  const { url } = services[0]!
  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)
  await call(url, 'POST', challenge.initiate, { token: user.token })
  const [mail] = await mailsTo(url, user.email)
  return { user, challenge, code: codeIn(mail!) }
}

test('of fifty parallel right answers one is a 204 and the others come too late', async (t) => {
  const { user, challenge, code } = await issued()

  const answers = await burst(50, 'POST', challenge.verify, { token: user.token, json: { totp: code } })

  t.deepEqual(statusesOf(answers), { 204: 1, 410: 49 })
  t.is(await eventsOf(challenge.id, 'challenge-verified'), 1)
})

test('of a hundred parallel wrong answers five are judged', async (t) => {
  const { user, challenge, code } = await issued()

  const answers = await burst(100, 'POST', challenge.verify, {
    token: user.token,
    json: { totp: wrongCode(code) },
  })

  t.deepEqual(statusesOf(answers), { 400: 5, 410: 95 })
  t.is(await eventsOf(challenge.id, 'otp-rejected'), 5)
  t.is(
    (await call(services[1]!.url, 'POST', challenge.verify, { token: user.token, json: { totp: code } }))
      .status,
    410,
  )
})

test('a right answer among a hundred wrong ones verifies at most once, within the budget', async (t) => {
  const { user, challenge, code } = await issued()

  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      call(services[n % 3]!.url, 'POST', challenge.verify, {
        token: user.token,
        json: { totp: n % 10 === 5 ? code : wrongCode(code) },
      }),
    ),
  )

  const { 204: verified = 0, 400: rejected = 0, 410: late = 0 } = statusesOf(answers)
  t.true(verified <= 1 && rejected <= 5 && verified + rejected + late === 100)
  t.is(await eventsOf(challenge.id, 'otp-rejected'), rejected)
  t.is(await eventsOf(challenge.id, 'challenge-verified'), verified)
})

test('thirty parallel initiates send one mail', async (t) => {
  const { url } = services[0]!
  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)

  const answers = await burst(30, 'POST', challenge.initiate, { token: user.token })

  t.deepEqual(statusesOf(answers), { 204: 1, 429: 29 })
  t.true(answers.every(({ status, headers }) => status === 204 || Number(headers.get('Retry-After')) > 0))
  await mailsTo(url, user.email)
  t.is(await eventsOf(challenge.id, 'otp-issued'), 1)
  await until(
    async () => await eventsOf(challenge.id, 'otp-sent'),
    (sent) => sent === 1,
  )
  t.is((await mailsTo(url, user.email)).length, 1)
})

test('ten equal creates at once, over all processes, open one challenge', async (t) => {
  const { url } = services[0]!
  const { userId } = await registerUser(url)
  const token = await paymentsToken(url)
  const json = {
    subjectUserId: userId,
    operation: {
      type: 'payments.initiate',
      digest: 'A'.repeat(43),
      summary: [{ label: 'Amount', value: 'EUR 1' }],
    },
  }

  const answers = await burst(10, 'POST', '/internal/v1/mfa/challenges', {
    token,
    json,
    headers: { 'plmr-idempotency-key': `race-${userId}` },
  })

  t.deepEqual(statusesOf(answers), { 200: 9, 201: 1 })
  t.is(new Set(answers.map(({ body }) => body.challengeId)).size, 1)
  t.is(new Set(answers.map(({ body }) => body.signature)).size, 1)
})

async function verified() {
  const all = await issued()
  const { url } = services[0]!
  await call(url, 'POST', all.challenge.verify, { token: all.user.token, json: { totp: all.code } })
  return { ...all, token: await paymentsToken(url) }
}

test('of fifty parallel consumes under different keys one is a 200', async (t) => {
  const { challenge, token } = await verified()

  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      call(services[n % services.length]!.url, 'POST', challenge.consume, {
        token,
        json: challenge.proof,
        headers: { 'plmr-idempotency-key': `consume-${n}` },
      }),
    ),
  )

  t.deepEqual(statusesOf(answers), { 200: 1, 409: 49 })
  t.is(await eventsOf(challenge.id, 'challenge-consumed'), 1)
})

test('thirty parallel consumes under one key, and one later, get the same answer', async (t) => {
  const { challenge, token } = await verified()
  const init = { token, json: challenge.proof, headers: { 'plmr-idempotency-key': 'consume' } }

  const answers = await burst(30, 'POST', challenge.consume, init)
  answers.push(await call(services[2]!.url, 'POST', challenge.consume, init))

  t.deepEqual(statusesOf(answers), { 200: 31 })
  t.is(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1)
  t.is(await eventsOf(challenge.id, 'challenge-consumed'), 1)
})

test('of a consume and a cancel at the same time one wins, wherever they arrive', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { challenge, token, user } = await verified()

    const [consumed, cancelled] = await Promise.all([
      call(services[round % 3]!.url, 'POST', challenge.consume, {
        token,
        json: challenge.proof,
        headers: { 'plmr-idempotency-key': 'consume' },
      }),
      call(services[(round + 1) % 3]!.url, 'POST', challenge.consume.replace(':consume', ':cancel'), {
        token: user.token,
      }),
    ])

    t.deepEqual(
      [consumed.status, cancelled.status].toSorted(),
      consumed.status === 200 ? [200, 409] : [204, 410],
    )
  }
})
