import test, { type ExecutionContext } from 'ava'
import type pg from 'pg'
import { openChallenge, registerUser, until, wrongCode } from '../../test/journeys/client.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { call, type Reply } from '../../test/support/http-call.ts'
import { type Attempt, issued, STEPS } from './steps.ts'
import { assertOutage, assertOutOfService, inTime, ready, startTroubledService } from './troubled-service.ts'

/* Time-outs take seconds, so each test has a service of its own, and all wait at the same time. */

const TIMEOUT_IN_MS = 150_000

async function start(t: ExecutionContext) {
  t.timeout(TIMEOUT_IN_MS)
  const database = await createTestDatabase()
  const service = await startTroubledService(database.url)
  t.teardown(service.end)
  return service
}

/** The answer after the connections that the fault left behind are gone from the pool. */
function recovered(attempt: Attempt) {
  return until(
    () => inTime(attempt.send()),
    ({ status }) => status !== 503,
  )
}

test('while the database keeps silent every step is a 503, nothing is stored, and all goes on by itself', async (t) => {
  const service = await start(t)
  const { url, proxy } = service
  const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))

  proxy.hang()
  const [replies] = await Promise.all([
    Promise.all(attempts.map((attempt) => inTime(attempt.send()))),
    assertOutOfService(t, url),
  ])
  for (const [n, { name, family }] of STEPS.entries()) {
    assertOutage(t, replies[n]!, family, name)
    t.is(await attempts[n]!.stored(), 0, name)
  }

  await proxy.pass()
  await ready(url)
  const again = await Promise.all(attempts.map(recovered))
  for (const [n, { name, status }] of STEPS.entries()) {
    t.is(again[n]!.status, status, name)
    t.is(await attempts[n]!.stored(), 1, name)
  }
})

for (const at of ['request', 'answer'] as const) {
  const stored = at === 'answer'
  const title = stored ? 'stores what every step decided and' : 'gets what every step decided to store and'
  test(`a database that ${title} keeps silent makes it a 503, ${stored ? 'stored once' : 'stored nowhere'}`, async (t) => {
    const service = await start(t)
    const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))

    const answers: Promise<Reply>[] = []
    for (const [n, { save: marker }] of STEPS.entries()) {
      const struck = service.proxy.strike({ marker, at, how: 'hang' })
      answers.push(inTime(attempts[n]!.send()))
      // One after the other, so that no two share a statement.
      await struck
    }
    const replies = await Promise.all(answers)
    for (const [n, { name, family }] of STEPS.entries()) {
      assertOutage(t, replies[n]!, family, name)
      t.is(await attempts[n]!.stored(), stored ? 1 : 0, name)
    }

    const again = await Promise.all(attempts.map(recovered))
    for (const [n, step] of STEPS.entries()) {
      t.is(again[n]!.status, stored ? step.again : step.status, step.name)
      t.is(await attempts[n]!.stored(), stored ? step.storedByTwo : 1, step.name)
    }
  })
}

test('a connection that is lost within a transaction does not bar its user for long', async (t) => {
  const { url, proxy } = await start(t)
  const { userId, token } = await registerUser(url)
  const { initiate } = await openChallenge(url, userId)
  const { body } = await call(url, 'POST', '/dev/token', {
    json: { client_id: 'crm', scope: 'mfa:users:write' },
  })

  const struck = proxy.strike({ marker: 'INSERT INTO subject_standings', at: 'answer', how: 'hang' })
  const put = await inTime(
    call(url, 'PUT', `/internal/v1/mfa/users/${userId}`, {
      token: body.access_token,
      json: { email: 'new@example.com' },
    }),
  )
  await struck

  assertOutage(t, put, 'mfa-challenge', 'put')
  const { status } = await until(
    () => inTime(call(url, 'POST', initiate, { token })),
    (reply) => reply.status !== 503,
  )
  t.is(status, 204)
})

/** The same as `POOL_SIZE`. */
const CONNECTIONS = 10

test('with every connection waiting for a lock each waits for a second, others are then decided, and no guess is judged that is not counted', async (t) => {
  const service = await start(t)
  const { url, db } = service
  const guesses: Awaited<ReturnType<typeof issued>>[] = []
  for (let n = 0; n < CONNECTIONS + 2; n++) guesses.push(await issued(service))
  const attempts = await Promise.all(STEPS.map(({ prepare }) => prepare(service)))
  const guess = ({ challenge, token, code }: (typeof guesses)[number]) =>
    inTime(call(url, 'POST', challenge.verify, { token, json: { totp: wrongCode(code) } }))

  const locked = await lockStandings(
    db,
    guesses.map(({ userId }) => userId),
  )
  const hanging = Promise.all(guesses.map(guess))
  await until(
    () => waiting(db),
    (count) => count >= CONNECTIONS,
  )
  const replies = await Promise.all(attempts.map((attempt) => inTime(attempt.send())))
  for (const [n, { name, status }] of STEPS.entries()) t.is(replies[n]!.status, status, name)
  for (const reply of await hanging) assertOutage(t, reply, 'mfa-totp', 'a guess')
  await locked.release()

  for (const [n, { name }] of STEPS.entries()) t.is(await attempts[n]!.stored(), 1, name)
  for (const each of guesses) t.is((await guess(each)).status, 400)
  const { rows } = await db.query(
    `SELECT DISTINCT attempts_remaining FROM challenges WHERE subject_user_id = ANY ($1)`,
    [guesses.map(({ userId }) => userId)],
  )
  t.deepEqual(rows, [{ attempts_remaining: 4 }])
})

/** Locks the rows that every decision about these subjects must change. */
async function lockStandings(db: pg.Pool, userIds: readonly string[]) {
  const session = await db.connect()
  await session.query('BEGIN')
  await session.query('SELECT 1 FROM subject_standings WHERE subject_user_id = ANY ($1) FOR UPDATE', [
    userIds,
  ])
  return {
    release: async () => {
      await session.query('ROLLBACK')
      session.release()
    },
  }
}

/** How many statements of the service are waiting for a lock. */
async function waiting(db: pg.Pool): Promise<number> {
  const { rowCount } = await db.query(
    `SELECT 1 FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'countersign' AND wait_event_type = 'Lock'`,
  )
  return rowCount!
}

test('SIGTERM while the database keeps silent ends the process in order and in time', async (t) => {
  const { url, proxy, process } = await start(t)
  const { userId, token } = await registerUser(url)
  const { initiate } = await openChallenge(url, userId)

  proxy.hang()
  const reply = inTime(call(url, 'POST', initiate, { token }))
  await until(
    async () => (await call(url, 'GET', '/healthz')).status,
    (status) => status === 200,
  )
  const ended = inTime(process.end('SIGTERM'))

  t.is((await reply).status, 503)
  t.is(await ended, 0, process.output())
})
