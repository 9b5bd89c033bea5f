import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { crmToken, openChallenge, registerUser, until } from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

const WEBHOOK_AUTH = 'postmark:correct-horse-battery'

/** What a mail came with, by its recipient. */
const metadata = new Map<string, { readonly issuance: string }>()
/** Recipients about whose mail Postmark reports before it answers. */
const hasty = new Set<string>()

let postmark: Server
let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let services: ServiceProcess[] = []
let db: pg.Pool

test.before(async () => {
  postmark = createServer(async (request, response) => {
    const mail = (await json(request)) as { To: string; Metadata: { issuance: string } }
    metadata.set(mail.To, mail.Metadata)
    if (hasty.has(mail.To)) await report(delivered(mail.To))
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ To: mail.To, MessageID: crypto.randomUUID(), ErrorCode: 0, Message: 'OK' }))
  })
  postmark.listen(0, '127.0.0.1')
  await once(postmark, 'listening')

  database = await createTestDatabase()
  db = new pg.Pool({ connectionString: database.url })
  dataDir = await createDataDir()
  const env = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir.path,
    MAIL_TRANSPORT: 'postmark',
    MAIL_FROM: 'Bank <no-reply@bank.example>',
    POSTMARK_SERVER_TOKEN: 'token',
    POSTMARK_API_URL: `http://127.0.0.1:${(postmark.address() as AddressInfo).port}`,
    POSTMARK_WEBHOOK_AUTH: WEBHOOK_AUTH,
    OTP_RESEND_COOLDOWN_SECONDS: '0',
  }
  // One after the other: they share a folder of keys, which the first makes.
  services = [await startProcess(env), await startProcess(env)]
})

test.after.always(async () => {
  await Promise.all(services.map((service) => service.end()))
  await db?.end()
  postmark?.close()
  await dataDir?.remove()
})

const url = (n = 0) => services[n]!.url

const about = (email: string) => ({ MessageID: crypto.randomUUID(), Metadata: metadata.get(email) })
const delivered = (email: string) => ({
  ...about(email),
  RecordType: 'Delivery',
  Recipient: email,
  DeliveredAt: new Date().toISOString(),
})
const bounced = (email: string) => ({
  ...about(email),
  RecordType: 'Bounce',
  Type: 'HardBounce',
  Inactive: true,
  Email: email,
  BouncedAt: new Date().toISOString(),
})

/** Calls the webhook of one of the services, as Postmark would with the URL that it was given. */
function report(payload: object, n = 0) {
  const Authorization = `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}`
  return call(url(n), 'POST', '/webhooks/postmark', { json: payload, headers: { Authorization } })
}

/** A user who has asked for a code, and how the mail of it stands. */
async function asked(t: ExecutionContext, prepare: (email: string) => void = () => {}) {
  const user = await registerUser(url())
  prepare(user.email)
  const challenge = await openChallenge(url(), user.userId)
  const initiate = () => call(url(), 'POST', challenge.initiate, { token: user.token })
  t.is((await initiate()).status, 204)
  const issuance = async () =>
    (await call(url(1), 'GET', `/internal/v1/mfa/challenges/${challenge.id}`, { token: user.token })).body
      .issuance
  const reaches = (delivery: string) => until(issuance, (seen) => seen.delivery === delivery && seen.sentAt)
  return { ...user, ...{ challenge, initiate, issuance, reaches } }
}

test('a mail goes from queued over sent to delivered, each with its time', async (t) => {
  const { email, reaches } = await asked(t)
  const { sentAt } = await reaches('sent')

  t.is((await report(delivered(email))).status, 200)

  const issuance = await reaches('delivered')
  t.is(issuance.sentAt, sentAt)
  t.true(Date.parse(issuance.deliveredAt) >= Date.parse(issuance.issuedAt))
})

test('a delivery that is reported before the hand-over is answered stays, and the hand-over is recorded', async (t) => {
  const { email, reaches, issuance } = await asked(t, (address) => hasty.add(address))

  await reaches('delivered')

  const { rows } = await db.query('SELECT message_id FROM otp_issuances WHERE recipient = $1', [email])
  t.regex(rows[0].message_id, /^[0-9a-f-]{36}$/)
  t.is((await issuance()).delivery, 'delivered')
})

test('a hard bounce ends the codes to an address until it is lifted, whichever process hears of it', async (t) => {
  const { email, userId, reaches, initiate } = await asked(t)
  await reaches('sent')

  const replies = await Promise.all([0, 1, 0, 1].map((n) => report(bounced(email), n)))
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  await reaches('bounced')
  const refused = await initiate()
  t.is(refused.status, 400)
  t.is(refused.body.code, 'urn:plmr:mfa-totp:api:USER_NOT_FOUND')

  const lifted = await call(url(1), 'DELETE', `/internal/v1/mfa/users/${userId}/suppression`, {
    token: await crmToken(url()),
  })
  t.is(lifted.status, 204)
  t.is((await initiate()).status, 204)
})

test('a reactivation finds whom it concerns by the address', async (t) => {
  const { email, reaches, initiate } = await asked(t)
  await reaches('sent')
  await report(bounced(email))
  t.is((await initiate()).status, 400)

  const reactivation = {
    ...{ RecordType: 'SubscriptionChange', MessageID: null, Recipient: email.toUpperCase(), Metadata: {} },
    ...{ SuppressSending: false, SuppressionReason: null, ChangedAt: new Date().toISOString() },
  }
  t.is((await report(reactivation)).status, 200)

  t.is((await initiate()).status, 204)
})

test('without credentials of its own there is no webhook', async (t) => {
  const { url: plain, end } = await startProcess({ DATABASE_URL: database.url, DATA_DIR: dataDir.path })
  t.teardown(() => end())

  t.is((await call(plain, 'POST', '/webhooks/postmark', { json: {} })).status, 404)
})
