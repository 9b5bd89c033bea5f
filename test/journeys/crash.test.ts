import test from 'ava'
import pg from 'pg'
import { call } from '../call.ts'
import { createTestDatabase } from '../database.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, registerUser } from './client.ts'
import { createDataDir, startProcess } from './service-process.ts'

const ROUNDS = 6
const JOURNEYS_A_ROUND = 12

/** Steps that the service has answered with success, by challenge. */
type Promised = Map<string, Set<'opened' | 'issued' | 'verified' | 'consumed'>>

/** Walks as far as the service lives, noting every success that was answered; `step` is told of each. */
async function walk(url: string, promised: Promised, step: () => void): Promise<void> {
  const user = await registerUser(url)
  const token = await paymentsToken(url)
  const challenge = await openChallenge(url, user.userId)
  const steps = new Set<'opened' | 'issued' | 'verified' | 'consumed'>(['opened'])
  promised.set(challenge.id, steps)
  step()

  if ((await call(url, 'POST', challenge.initiate, { token: user.token })).status === 204) steps.add('issued')
  step()
  const [mail] = await mailsTo(url, user.email)
  const verify = await call(url, 'POST', challenge.verify, {
    token: user.token,
    json: { totp: codeIn(mail!) },
  })
  if (verify.status === 204) steps.add('verified')
  step()
  const headers = { 'plmr-idempotency-key': challenge.id }
  const consume = await call(url, 'POST', challenge.consume, { token, json: challenge.proof, headers })
  if (consume.status === 200) steps.add('consumed')
  step()
}

test('a process killed at any moment loses no success that it answered, and leaves no approval that nobody gave', async (t) => {
  const database = await createTestDatabase()
  const dataDir = await createDataDir()
  const db = new pg.Pool({ connectionString: database.url })
  t.teardown(async () => {
    await db.end()
    await dataDir.remove()
  })
  const promised: Promised = new Map()

  for (let round = 0; round < ROUNDS; round++) {
    const service = await startProcess({
      DATABASE_URL: database.url,
      DATA_DIR: dataDir.path,
      LOG_LEVEL: 'warn',
    })
    // The moment of the kill is the random variable of this test: after so many steps that were answered.
    let stepsToLive = 1 + Math.floor(Math.random() * 3 * JOURNEYS_A_ROUND)
    const struck = Promise.withResolvers<void>()
    const step = () => {
      stepsToLive--
      if (stepsToLive === 0) struck.resolve()
    }
    // Journeys that the kill cuts off reject, which is what they are for.
    const walks = Promise.allSettled(
      Array.from({ length: JOURNEYS_A_ROUND }, () => walk(service.url, promised, step)),
    )
    await struck.promise
    await service.end('SIGKILL')
    await walks
  }

  const { rows } = await db.query(`
    SELECT c.id, c.status, c.issuance_count,
      array_agg(e.type ORDER BY e.id) AS events
    FROM challenges c JOIN challenge_events e ON e.challenge_id = c.id
    GROUP BY c.id`)
  const stored = new Map(rows.map((row) => [row.id, row]))
  for (const [id, steps] of promised) {
    const challenge = stored.get(id)
    t.truthy(challenge, 'an opened challenge is stored')
    if (steps.has('issued')) t.is(challenge.issuance_count, 1)
    if (steps.has('verified')) t.true(['verified', 'consumed'].includes(challenge.status))
    if (steps.has('consumed')) t.is(challenge.status, 'consumed')
  }
  for (const { status, events } of rows) {
    const decided = events.filter((type: string) => type.startsWith('challenge-'))
    const expected = ['challenge-opened', 'challenge-verified', 'challenge-consumed']
    t.deepEqual(decided, expected.slice(0, ['pending', 'verified', 'consumed'].indexOf(status) + 1))
  }
  t.true(
    [...promised.values()].some((steps) => !steps.has('consumed')),
    'some journeys were cut off',
  )
})
