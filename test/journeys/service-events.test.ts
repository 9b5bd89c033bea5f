import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createBucketedDatabase, query } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { receiver } from '../support/webhook-deliveries.ts'
import { codeIn, mailsTo, openChallenge, paymentsToken, randomDigest, registerUser, until } from './client.ts'
import { createDataDir, startDeliverer, startProcess } from './service-process.ts'

/* Services as operators run them, on one database, and a service that gets their events over HTTP. */

const OF_CALLS = ['challenge-opened', 'otp-issued', 'challenge-verified', 'challenge-consumed']
/** A code may be used before the process has recorded that its mail was sent. */
const WHOLE_LIFE = [...OF_CALLS, 'otp-sent']

async function installation(t: ExecutionContext) {
  const dataDir = await createDataDir()
  t.teardown(dataDir.remove)
  const { url: databaseUrl } = await createBucketedDatabase()
  const { url: endpoint, received } = await receiver(t)
  const env = {
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir.path,
    WEBHOOKS: JSON.stringify({ payments: endpoint }),
  }
  /** A process registers it beside its start. Events begin with it. */
  const registered = () =>
    until(
      () => query(databaseUrl, 'SELECT url FROM webhook_endpoints'),
      (rows) => rows.length === 1,
    )
  /** The types that the service got about a challenge, in their order, without repeats. */
  const typesOf = async (challengeId: string) => {
    const events = received
      .map(({ body }) => JSON.parse(body))
      .filter(({ subject }) => subject === challengeId)
    return events
      .filter(({ id }, n) => events.findIndex((each) => each.id === id) === n)
      .map(({ type }) => type.replace('countersign.', '') as string)
  }
  return { env, databaseUrl, received, registered, typesOf }
}

async function confirm(url: string): Promise<string> {
  const { userId, email, token } = await registerUser(url)
  const challenge = await openChallenge(url, userId)
  await call(url, 'POST', challenge.initiate, { token })
  const [mail] = await mailsTo(url, email)
  await call(url, 'POST', challenge.verify, { token, json: { totp: codeIn(mail!) } })
  const { status } = await call(url, 'POST', challenge.consume, {
    token: await paymentsToken(url),
    headers: { 'plmr-idempotency-key': randomUUID() },
    json: challenge.proof,
  })
  if (status !== 200) throw new Error(`not consumed: ${status}`)
  return challenge.id
}

test('a service gets the whole life of its challenges, in order, and no code or address', async (t) => {
  const { env, received, registered, typesOf } = await installation(t)
  const service = await startProcess(env)
  t.teardown(() => service.end())
  await registered()

  const ids = await Promise.all([confirm(service.url), confirm(service.url), confirm(service.url)])

  for (const id of ids) {
    const types = await until(
      () => typesOf(id),
      (seen) => seen.length === WHOLE_LIFE.length,
    )
    t.deepEqual(
      types.filter((type) => type !== 'otp-sent'),
      OF_CALLS,
    )
    t.deepEqual(types.toSorted(), WHOLE_LIFE.toSorted())
  }
  for (const { body } of received) t.notRegex(body, /@|1,250|\b\d{6}\b/)
})

test('the clock tells that a challenge has ended, without anybody asking, and once', async (t) => {
  const { env, registered, typesOf } = await installation(t)
  const [service, deliverer] = await Promise.all([startProcess(env), startDeliverer(env)])
  t.teardown(() => Promise.all([service.end(), deliverer.end()]))
  await registered()
  const { userId } = await registerUser(service.url)
  const { body, status } = await call(service.url, 'POST', '/internal/v1/mfa/challenges', {
    token: await paymentsToken(service.url),
    headers: { 'plmr-idempotency-key': randomUUID() },
    json: {
      subjectUserId: userId,
      operation: {
        type: 'payments.initiate',
        digest: randomDigest(),
        summary: [{ label: 'Amount', value: 'EUR 1,250.00' }],
      },
      expiresInSeconds: 1,
    },
  })
  t.is(status, 201, JSON.stringify(body))
  const types = await until(
    () => typesOf(body.challengeId),
    (seen) => seen.length === 2,
  )

  t.deepEqual(types, ['challenge-opened', 'challenge-expired'])
  t.deepEqual(
    await query(
      env.DATABASE_URL,
      `SELECT count(*)::int AS n FROM challenge_events WHERE type = 'challenge-expired'`,
    ),
    [{ n: 1 }],
  )
})

test('a process that dies loses no event: another one delivers them', async (t) => {
  const { env, databaseUrl, registered, typesOf } = await installation(t)
  const [service, deliverer] = await Promise.all([startProcess(env), startDeliverer(env)])
  t.teardown(() => Promise.all([service.end(), deliverer.end()]))
  await registered()

  const ids = await Promise.all([confirm(service.url), confirm(service.url), confirm(service.url)])
  await service.end('SIGKILL')
  // What it had under way is due at once, as if its lease of a minute were over.
  await query(databaseUrl, `UPDATE service_events SET leased_until = NULL WHERE finished_at IS NULL`)

  for (const id of ids) {
    const types = await until(
      () => typesOf(id),
      (seen) => seen.length === WHOLE_LIFE.length,
    )
    t.deepEqual(
      types.filter((type) => type !== 'otp-sent'),
      OF_CALLS,
    )
    t.deepEqual(types.toSorted(), WHOLE_LIFE.toSorted())
  }
})
