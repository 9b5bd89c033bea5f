import test, { type ExecutionContext } from 'ava'
import { createBucketedDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { mailsTo, openChallenge, paymentsToken, registerUser, tokenOf, until } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

/* Each journey has a database of its own, since any process on it may send what is queued there. */

const SUBJECT = 'Confirmations are locked for a while'
const WRONG = { totp: 'wrong' }

/** So many processes on one new database, and where it is. */
async function started(t: ExecutionContext, count: number, settings: Record<string, string> = {}) {
  const { url: databaseUrl } = await createBucketedDatabase()
  const dataDir = await createDataDir()
  const env = { DATABASE_URL: databaseUrl, DATA_DIR: dataDir.path }
  const services: ServiceProcess[] = []
  t.teardown(async () => {
    await Promise.all(services.map((service) => service.end()))
    await dataDir.remove()
  })
  // One after the other: they share a folder of keys, which the first makes.
  while (services.length < count) services.push(await startProcess({ ...env, ...settings }))
  return { services, databaseUrl, env, url: services[0]!.url }
}

const noticesIn = (databaseUrl: string) =>
  query(databaseUrl, 'SELECT status, delivery_attempts FROM lock_notices')

const warningsTo = async (url: string, email: string, count = 1) =>
  (await mailsTo(url, email, count)).filter(({ subject }) => subject === SUBJECT)

test('a burst of wrong codes over six challenges and three processes has one warning mailed, and says when to come back', async (t) => {
  const { services, databaseUrl, url } = await started(t, 3)
  const { userId, email, token } = await registerUser(url)
  const challenges = await Promise.all(Array.from({ length: 6 }, () => openChallenge(url, userId)))

  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      call(services[n % 3]!.url, 'POST', challenges[n % 6]!.verify, { token, json: WRONG }),
    ),
  )

  const locked = answers.filter(({ status }) => status === 403)
  t.deepEqual([answers.filter(({ status }) => status === 400).length, locked.length], [5, 55])
  t.true(locked.every(({ headers }) => Number(headers.get('Retry-After')) > 0))
  await until(
    () => noticesIn(databaseUrl),
    (notices) => JSON.stringify(notices).includes('sent'),
  )
  t.deepEqual(await noticesIn(databaseUrl), [{ status: 'sent', delivery_attempts: 1 }])
  t.is((await warningsTo(url, email)).length, 1)

  const again = await call(services[1]!.url, 'POST', challenges[0]!.verify, { token, json: WRONG })
  t.is(again.status, 403)
  t.is((await noticesIn(databaseUrl)).length, 1)
  for (const service of services) t.false(service.output().includes(email))
})

test('the warning is in the trail of the challenge whose wrong code was the last, and holds neither code nor link', async (t) => {
  const { url } = await started(t, 1)
  const { userId, email, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  for (let failure = 1; failure <= 5; failure++) {
    await call(url, 'POST', challenge.verify, { token, json: WRONG })
  }

  const [warning] = await warningsTo(url, email)
  t.notRegex(warning!.text, /\d{5,}|https?:|@/)
  const payments = await paymentsToken(url)
  const events = await until(
    async () =>
      (
        await call(url, 'GET', `/internal/v1/mfa/challenges/${challenge.id}/events`, { token: payments })
      ).body.events.map(({ type }: { type: string }) => type) as string[],
    (types) => types.at(-1) === 'lock-notice-sent',
  )
  t.deepEqual(events.slice(-4), ['otp-rejected', 'challenge-exhausted', 'subject-locked', 'lock-notice-sent'])
})

test("another user's token locks nobody and has nobody warned", async (t) => {
  const { url, databaseUrl } = await started(t, 1)
  const { userId, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  const mallory = await tokenOf(url, { sub: 'mallory' })

  for (let attempt = 0; attempt < 10; attempt++) {
    const { body } = await call(url, 'POST', challenge.verify, { token: mallory, json: WRONG })
    t.regex(body.code, /USER_ID_DOES_NOT_MATCH/)
  }

  t.deepEqual(await noticesIn(databaseUrl), [])
  const own = await call(url, 'POST', challenge.verify, { token, json: WRONG })
  t.is(own.status, 400)
  t.regex(own.headers.get('RateLimit') ?? '', /r=4\b/)
})

test('a warning that a killed process could not send is sent by the next one', async (t) => {
  const { services, databaseUrl, env, url } = await started(t, 1, {
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: 'smtp://127.0.0.1:1',
  })
  const { userId, email, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  for (let failure = 1; failure <= 5; failure++) {
    await call(url, 'POST', challenge.verify, { token, json: WRONG })
  }
  await services[0]!.end('SIGKILL')
  t.like(await noticesIn(databaseUrl), [{ status: 'queued' }])

  // It may have been in the middle of an attempt, whose lease this journey need not wait for.
  await query(databaseUrl, 'UPDATE lock_notices SET next_attempt_at = now()')
  const next = await startProcess(env)
  t.teardown(() => next.end())

  t.is((await warningsTo(next.url, email)).length, 1)
})
