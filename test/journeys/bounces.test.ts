import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createTransport } from 'nodemailer'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { noticeOf, shapeOf } from '../adapters/bounce-intake/notices.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import { openChallenge, registerUser, until } from './client.ts'
import { createDataDir, type ServiceProcess, startDeliverer, startProcess } from './service-process.ts'

/*
 * A relay that takes mails, and brings its notices to the service. Two processes share a database: one serves and sends, the other
 * takes notices. Notices are in the shapes that mail systems give them.
 */

interface Taken {
  readonly from: string
  readonly notify: unknown
}

/** The envelope of each mail, by its recipient. */
const taken = new Map<string, Taken>()

let relay: SMTPServer
let database: TestDatabase
let db: pg.Pool
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let env: Record<string, string>
let service: ServiceProcess
let deliverer: ServiceProcess
let intake: ReturnType<typeof createTransport>

test.before(async () => {
  relay = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    hideDSN: false,
    hideENHANCEDSTATUSCODES: true,
    onRcptTo: ({ address }, _session, done) =>
      done(
        address.startsWith('nobody')
          ? Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 })
          : null,
      ),
    onData: (stream, { envelope }, done) => {
      stream.resume().on('end', () => {
        const [recipient] = envelope.rcptTo
        taken.set(recipient!.address, {
          from: envelope.mailFrom ? envelope.mailFrom.address : '',
          notify: recipient!.dsn?.notify,
        })
        done(null)
      })
    },
  })
  relay.on('error', () => {})
  const listening = relay.listen(0, '127.0.0.1')
  await once(listening, 'listening')

  database = await createTestDatabase()
  db = new pg.Pool({ connectionString: database.url })
  dataDir = await createDataDir()
  const port = await freePort()
  env = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir.path,
    MAIL_TRANSPORT: 'smtp',
    MAIL_FROM: 'Bank <no-reply@bank.example>',
    SMTP_URL: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    BOUNCE_DOMAIN: 'bounces.bank.example',
    OTP_RESEND_COOLDOWN_SECONDS: '0',
  }
  // One after the other: they share a folder of keys, which the first makes.
  service = await startProcess(env)
  deliverer = await startDeliverer({ ...env, BOUNCE_INTAKE_PORT: String(port) })
  intake = createTransport({ host: '127.0.0.1', port, ignoreTLS: true })
})

test.after.always(async () => {
  await Promise.all([service?.end(), deliverer?.end()])
  await db?.end()
  relay?.close(() => {})
  await dataDir?.remove()
})

/** A user whose mail the relay has taken. */
async function mailed(t: ExecutionContext) {
  const user = await registerUser(service.url)
  const challenge = await openChallenge(service.url, user.userId)
  const initiate = () => call(service.url, 'POST', challenge.initiate, { token: user.token })
  t.is((await initiate()).status, 204)
  const issuance = async () =>
    (await call(service.url, 'GET', `/internal/v1/mfa/challenges/${challenge.id}`, { token: user.token }))
      .body.issuance
  await until(issuance, (seen) => seen?.delivery === 'sent')
  const envelope = taken.get(user.email)!
  return {
    ...{ ...user, challenge, initiate, issuance, envelope },
    notify: (fate: Parameters<typeof shapeOf>[1], system: Parameters<typeof shapeOf>[0] = 'Postfix') =>
      intake.sendMail({
        envelope: { from: '', to: envelope.from },
        raw: noticeOf(system, shapeOf(system, fate)!, envelope.from, ''),
      }),
  }
}

async function isUserNotFound(t: ExecutionContext, initiate: () => ReturnType<typeof call>) {
  const refused = await initiate()
  t.is(refused.status, 400)
  t.is(refused.body.code, 'urn:plmr:mfa-totp:api:USER_NOT_FOUND')
}

test('a mail with a code has a bounce address of its own, and asks for every notice', async (t) => {
  const { envelope } = await mailed(t)

  t.regex(envelope.from, /^bounce\+[0-9a-f-]{36}\.[a-z2-7]{16}@bounces\.bank\.example$/)
  t.deepEqual(envelope.notify, ['SUCCESS', 'FAILURE', 'DELAY'])
})

test('a mail that waits, arrives or comes back for now shows so, and codes go on', async (t) => {
  const { notify, issuance, initiate } = await mailed(t)

  await notify('waiting')
  const waiting = await issuance()
  t.is(waiting.delivery, 'sent')
  t.truthy(waiting.delayedAt)
  await notify('relayed')
  t.deepEqual(await issuance(), waiting)
  await notify('delivered')
  t.is((await issuance()).delivery, 'delivered')
  await notify('full', 'OpenSMTPD')
  t.is((await issuance()).delivery, 'bounced')

  t.is((await initiate()).status, 204)
})

test('a hard bounce ends the codes to an address, in one process as in the other', async (t) => {
  const { notify, issuance, initiate } = await mailed(t)

  await Promise.all([notify('unknown'), notify('unknown', 'Exim'), notify('unknown', 'OpenSMTPD')])

  t.is((await issuance()).delivery, 'bounced')
  await isUserNotFound(t, initiate)
})

test('a recipient that the relay refuses as unknown gets no further code', async (t) => {
  const user = await registerUser(service.url)
  const email = `nobody-${user.userId}@example.com`
  await db.query('UPDATE users SET email = $1 WHERE user_id = $2', [email, user.userId])
  const challenge = await openChallenge(service.url, user.userId)
  const initiate = () => call(service.url, 'POST', challenge.initiate, { token: user.token })
  t.is((await initiate()).status, 204)

  const { rows } = await until(
    () =>
      db.query('SELECT suppressed_address FROM subject_standings WHERE subject_user_id = $1', [user.userId]),
    ({ rows }) => rows[0]?.suppressed_address !== null,
  )

  t.is(rows[0].suppressed_address, email)
  await isUserNotFound(t, initiate)
})

test('each notice is counted by its outcome, and neither address nor mail is in the log', async (t) => {
  const { notify, envelope, email } = await mailed(t)
  await notify('unknown')
  await notify('unknown')
  await intake.sendMail({
    envelope: { from: '', to: envelope.from.replace(/\.[a-z2-7]{16}@/, '.2222222222222222@') },
    raw: 'Subject: x\r\n\r\n',
  })

  const metrics = await (await fetch(`${new URL('/metrics', deliverer.url)}`)).text()
  for (const outcome of ['stored', 'known', 'forged']) {
    t.regex(metrics, new RegExp(`countersign_bounce_notices_total\\{outcome="${outcome}"\\} [1-9]`))
  }
  t.false(deliverer.output().includes(email) || deliverer.output().includes(envelope.from))
})

test('a process that stops takes no more notices, and ends well', async (t) => {
  const port = await freePort()
  const another = await startDeliverer({ ...env, BOUNCE_INTAKE_PORT: String(port) })
  const { envelope, issuance } = await mailed(t)
  const itsIntake = createTransport({ pool: true, host: '127.0.0.1', port, ignoreTLS: true })
  t.teardown(() => itsIntake.close())
  const raw = noticeOf('Postfix', shapeOf('Postfix', 'unknown')!, envelope.from, '')
  // The connection stays open, as that of a relay does.
  await itsIntake.sendMail({ envelope: { from: '', to: envelope.from }, raw })

  t.is(await another.end(), 0)

  t.is((await issuance()).delivery, 'bounced')
})

test('a process whose intake has no port does not start', async (t) => {
  const port = await freePort()
  const first = await startDeliverer({ ...env, BOUNCE_INTAKE_PORT: String(port) })
  t.teardown(() => first.end())

  await t.throwsAsync(startDeliverer({ ...env, BOUNCE_INTAKE_PORT: String(port) }), {
    message: /EADDRINUSE/,
  })
})
