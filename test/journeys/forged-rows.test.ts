import { randomUUID } from 'node:crypto'
import test from 'ava'
import pg from 'pg'
import { createTestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  codeIn,
  demandChallenge,
  mailsTo,
  openChallenge,
  paymentsToken,
  randomDigest,
  registerUser,
  until,
} from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/*
 * Somebody writes to the database, with all rights of the service and without its keys. Each test holds one way to an authorisation
 * that nobody approved, or to a mail that says what nobody asked for.
 */

let db: pg.Pool
let service: ServiceProcess
let removeData: () => Promise<void>

/** Whatever character the digest begins with. */
const ANOTHER_DIGEST = `operation_digest =
  CASE left(operation_digest, 1) WHEN 'B' THEN 'C' ELSE 'B' END || substr(operation_digest, 2)`

test.before(async () => {
  const { url } = await createTestDatabase()
  const dataDir = await createDataDir()
  removeData = dataDir.remove
  db = new pg.Pool({ connectionString: url })
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
})

test.after.always(async () => {
  await service?.end()
  await db?.end()
  await removeData?.()
})

type Challenge = Awaited<ReturnType<typeof openChallenge>>

/** A user with a challenge. */
async function opened() {
  const user = await registerUser(service.url)
  return { user, challenge: await openChallenge(service.url, user.userId) }
}

/** The same, once the user has given the right code. */
async function verified() {
  const all = await opened()
  const { user, challenge } = all
  await call(service.url, 'POST', challenge.initiate, { token: user.token })
  const [mail] = await mailsTo(service.url, user.email)
  const json = { totp: codeIn(mail!) }
  const { status } = await call(service.url, 'POST', challenge.verify, { token: user.token, json })
  if (status !== 204) throw new Error(`not verified: ${status}`)
  return all
}

async function consume({ consume, proof }: Challenge, key: string = randomUUID()) {
  const token = await paymentsToken(service.url)
  const headers = { 'plmr-idempotency-key': key }
  const { status, body } = await call(service.url, 'POST', consume, { token, headers, json: proof })
  return { status, code: body.code?.split(':').at(-1), authorisation: body.authorisation }
}

const CANCELLED = { status: 410, code: 'CHALLENGE_CANCELLED', authorisation: undefined }

/** Whether the log has an error about the challenge. */
function isReported({ id }: Challenge): boolean {
  return new RegExp(`ERROR.*forged row(?:\\n .*)*${id}`).test(service.output())
}

const VERIFY = `status = 'verified', verified_at = now()`
const SET_BACK = `status = 'verified', consumed_at = NULL, consumption_key = NULL, consumption_fingerprint = NULL`

test('a challenge that is set to verified gives no authorisation', async (t) => {
  const { challenge } = await opened()

  await db.query(`UPDATE challenges SET ${VERIFY} WHERE id = $1`, [challenge.id])

  t.deepEqual(await consume(challenge), CANCELLED)
  t.deepEqual(await consume(challenge), CANCELLED)
  t.true(isReported(challenge))
})

test('a challenge that is set to verified with the seals of another one gives no authorisation', async (t) => {
  const { challenge } = await opened()
  const { challenge: approved } = await verified()

  await db.query(
    `UPDATE challenges c
     SET ${VERIFY}, issuance_count = 1, approval_seal = a.approval_seal, demand_seal = a.demand_seal
     FROM challenges a WHERE c.id = $1 AND a.id = $2`,
    [challenge.id, approved.id],
  )

  t.deepEqual(await consume(challenge), CANCELLED)
  t.is((await consume(approved)).status, 200)
})

test('an approval is used once, also if it is set back with every column as it was', async (t) => {
  const { challenge } = await verified()
  t.is((await consume(challenge)).status, 200)

  await db.query(`UPDATE challenges SET ${SET_BACK}, consumption_seal = NULL WHERE id = $1`, [challenge.id])

  t.deepEqual(await consume(challenge), CANCELLED)
})

test('an approval that its user withdrew gives no authorisation when it is set back', async (t) => {
  const { user, challenge } = await verified()
  const { rows } = await db.query('SELECT verified_at FROM challenges WHERE id = $1', [challenge.id])
  const cancel = challenge.consume.replace(':consume', ':cancel')
  t.is((await call(service.url, 'POST', cancel, { token: user.token })).status, 204)

  await db.query(
    `UPDATE challenges SET status = 'verified', verified_at = $2, cancelled_at = NULL WHERE id = $1`,
    [challenge.id, rows[0].verified_at],
  )

  t.deepEqual(await consume(challenge), CANCELLED)
})

test('an approval gives no authorisation for longer, for another user, operation or summary', async (t) => {
  await registerUser(service.url)
  const changes = [
    `expires_at = expires_at + interval '1 day'`,
    `verified_at = verified_at + interval '1 second'`,
    `(subject_user_id, bucket) = (SELECT user_id, bucket FROM users WHERE user_id <> subject_user_id LIMIT 1)`,
    ANOTHER_DIGEST,
    `operation_type = 'payees.add'`,
    `operation_summary = '[{"label": "Amount", "value": "EUR 1.00"}]'`,
  ]
  for (const change of changes) {
    const { challenge } = await verified()
    await db.query(`UPDATE challenges SET ${change} WHERE id = $1`, [challenge.id])

    t.is((await consume(challenge)).authorisation, undefined, change)
  }
})

test('a consumption answers its own call only, and says only when it was', async (t) => {
  for (const [change, key] of [
    [`consumption_key = 'another-call'`, 'another-call'],
    [`consumed_at = consumed_at + interval '1 hour'`, 'the-call'],
  ] as const) {
    const { challenge } = await verified()
    const first = await consume(challenge, 'the-call')
    t.deepEqual(await consume(challenge, 'the-call'), first)

    await db.query(`UPDATE challenges SET ${change} WHERE id = $1`, [challenge.id])

    const { status, authorisation } = await consume(challenge, key)
    t.deepEqual([status, authorisation], [422, undefined], change)
  }
})

test('a summary that is changed before the mail is never mailed', async (t) => {
  const { user, challenge } = await opened()

  await db.query(
    `UPDATE challenges SET operation_summary = '[{"label": "Amount", "value": "EUR 1.00"}]' WHERE id = $1`,
    [challenge.id],
  )

  const { status, body } = await call(service.url, 'POST', challenge.initiate, { token: user.token })
  t.is(status, 400)
  t.regex(body.code, /STEP_UP_REQUEST_CONTEXT_NOT_FOUND$/)
  t.is((await consume(challenge)).code, 'OPERATION_DOES_NOT_MATCH_CHALLENGE')
  t.true(isReported(challenge))
})

test('a demand that somebody rewrote is not signed for the repeat of its opening', async (t) => {
  const user = await registerUser(service.url)
  const key = randomUUID()
  const digest = randomDigest()
  const demand = () => demandChallenge(service.url, user.userId, digest, key)
  const opened = await demand()
  const id: string = opened.body.challengeId
  t.is((await demand()).body.signature, opened.body.signature)

  await db.query(`UPDATE challenges SET ${ANOTHER_DIGEST} WHERE id = $1`, [id])

  const repeated = await demand()
  t.is(repeated.status, 422)
  t.is(repeated.body.signature, undefined)
  const { rows } = await db.query('SELECT status FROM challenges WHERE id = $1', [id])
  t.is(rows[0].status, 'cancelled')
  t.regex(service.output(), new RegExp(`ERROR.*forged row(?:\\n .*)*${id}`))
})

test('a code that somebody queues for another mailbox is never mailed', async (t) => {
  const { user, challenge } = await opened()
  const id = randomUUID()
  const mallory = `mallory-${id}@example.com`

  await db.query('UPDATE challenges SET issuance_count = 1 WHERE id = $1', [challenge.id])
  await db.query(
    `INSERT INTO otp_issuances (id, challenge_id, subject_user_id, number, key_id, recipient, issued_at, expires_at,
       status, delivery_attempts, next_attempt_at)
     SELECT $1, $2, $3, 1, coalesce((SELECT key_id FROM otp_issuances LIMIT 1), 'dev'), $4, now(), now() + interval '5 minutes',
       'queued', 0, now()`,
    [id, challenge.id, user.userId, mallory],
  )

  const outcome = async () =>
    (await db.query('SELECT status, failure_reason FROM otp_issuances WHERE id = $1', [id])).rows[0]
  t.deepEqual(await until(outcome, ({ status }) => status !== 'queued'), {
    status: 'failed',
    failure_reason: 'unsealed',
  })
  t.deepEqual((await call(service.url, 'GET', `/dev/mailbox?to=${mallory}`)).body, [])
})
