import { createHash } from 'node:crypto'
import test from 'ava'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { simpleParser } from 'mailparser'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import { bucketOf } from '../../src/domain/bucket.ts'
import { createBucketedDatabase, type TestDatabase } from '../support/database.ts'
import { call } from '../support/http-call.ts'
import {
  codeIn,
  crmToken,
  type Mail,
  mailsTo,
  openChallenge,
  paymentsToken,
  registerUser,
  until,
  wrongCode,
} from './client.ts'
import { createDataDir, type ServiceProcess, startProcess } from './service-process.ts'

let database: TestDatabase
let dataDir: Awaited<ReturnType<typeof createDataDir>>
let smtpServer: SMTPServer
const received: Mail[] = []
let withMailbox: ServiceProcess
let withSmtp: ServiceProcess
let db: pg.Pool

test.before(async () => {
  database = await createBucketedDatabase()
  dataDir = await createDataDir()
  smtpServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: async (stream, session, done) => {
      const { subject = '', text = '' } = await simpleParser(stream)
      for (const { address } of session.envelope.rcptTo) received.push({ to: address, subject, text })
      done()
    },
  })
  await new Promise<void>((listening) => smtpServer.listen(0, '127.0.0.1', listening))
  const { port } = smtpServer.server.address() as { port: number }

  const env = {
    DATABASE_URL: database.url,
    DATABASE_SHARDING: database.sharding,
    DATA_DIR: dataDir.path,
    OTP_RESEND_COOLDOWN_SECONDS: '1',
  }
  withMailbox = await startProcess(env)
  db = new pg.Pool({ connectionString: database.url })
  smtpEnv = {
    ...env,
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    MAIL_FROM: 'Bank <no-reply@bank.example>',
  }
})

let smtpEnv: Record<string, string>

test.after.always(async () => {
  await withMailbox?.end()
  await withSmtp?.end()
  await new Promise<void>((closed) => smtpServer.close(closed))
  await db?.end()
  await dataDir?.remove()
})

/** The whole journey of one user, with a way to get at the mails that they get. */
async function journey(
  t: import('ava').ExecutionContext,
  url: string,
  mails: (address: string, count?: number) => Promise<Mail[]>,
) {
  const user = await registerUser(url)
  const challenge = await openChallenge(url, user.userId)
  const inspect = async () =>
    (
      await call(url, 'GET', `/internal/v1/mfa/challenges/${challenge.id}`, {
        token: await paymentsToken(url),
      })
    ).body

  t.like(await inspect(), { status: 'pending', issuance: null })
  t.is((await call(url, 'POST', challenge.initiate, { token: user.token })).status, 204)

  const [mail] = await mails(user.email)
  const code = codeIn(mail!)
  t.true(mail!.text.includes('EUR 1,250.00'))
  t.false(mail!.subject.includes(code))
  const { issuance } = await until(inspect, (seen) => seen.issuance.delivery === 'sent')
  t.true(mail!.subject.includes(issuance.reference) && mail!.text.includes(issuance.reference))
  t.is(issuance.recipient, `u•••@example.com`)

  const wrong = await call(url, 'POST', challenge.verify, {
    token: user.token,
    json: { totp: wrongCode(code) },
  })
  t.is(wrong.status, 400)
  t.regex(wrong.headers.get('RateLimit') ?? '', /^"totp";r=4;t=\d+$/)

  t.is((await call(url, 'POST', challenge.verify, { token: user.token, json: { totp: code } })).status, 204)
  t.like(await inspect(), { status: 'verified', attemptsRemaining: 4 })
  t.is((await call(url, 'POST', challenge.verify, { token: user.token, json: { totp: code } })).status, 410)
  t.is((await mails(user.email)).length, 1)
  return { user, challenge, code }
}

test.serial('a user countersigns an operation with the code in their mailbox', async (t) => {
  const { url } = withMailbox

  const { challenge } = await journey(t, url, (address, count) => mailsTo(url, address, count))

  const { rows } = await db.query(
    'SELECT type, actor FROM challenge_events WHERE challenge_id = $1 ORDER BY id',
    [challenge.id],
  )
  const user = `user:${challenge.body.subjectUserId ?? rows[1].actor.slice(5)}`
  t.deepEqual(rows, [
    { type: 'challenge-opened', actor: 'client:payments' },
    { type: 'otp-issued', actor: user },
    { type: 'otp-sent', actor: 'service' },
    { type: 'otp-rejected', actor: user },
    { type: 'challenge-verified', actor: user },
  ])
})

test.serial(
  'a resend brings another code under another mark, and the first one counts no more',
  async (t) => {
    const { url } = withMailbox
    const user = await registerUser(url)
    const challenge = await openChallenge(url, user.userId)
    const initiate = () => call(url, 'POST', challenge.initiate, { token: user.token })

    t.is((await initiate()).status, 204)
    const [first] = await mailsTo(url, user.email)
    await until(initiate, ({ status }) => status === 204)
    const [second] = await mailsTo(url, user.email, 2)

    t.not(second!.subject, first!.subject)
    const verify = (mail: Mail) =>
      call(url, 'POST', challenge.verify, { token: user.token, json: { totp: codeIn(mail) } })
    t.is((await verify(first!)).status, 400)
    t.is((await verify(second!)).status, 204)
  },
)

for (const [keypad, zero] of [
  ['Arabic', 0x660],
  ['Persian', 0x6f0],
] as const) {
  test.serial(`a user types the code on the ${keypad} keypad`, async (t) => {
    const { url } = withMailbox
    const user = await registerUser(url)
    const challenge = await openChallenge(url, user.userId)
    await call(url, 'POST', challenge.initiate, { token: user.token })
    const [mail] = await mailsTo(url, user.email)
    const typed = codeIn(mail!).replaceAll(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)))

    const verified = await call(url, 'POST', challenge.verify, {
      token: user.token,
      json: { totp: `\u200F${typed}\n` },
    })

    t.is(verified.status, 204)
  })
}

test.serial('the signature of a challenge verifies with the published keys', async (t) => {
  const { url } = withMailbox
  const { userId } = await registerUser(url)
  const { id, body } = await openChallenge(url, userId)

  const keys = createLocalJWKSet((await call(url, 'GET', '/.well-known/jwks.json')).body)
  const { payload } = await jwtVerify(body.signature, keys, {
    audience: 'payments',
    typ: 'countersign-challenge+jwt',
  })

  t.like(payload, { jti: id, sub: userId })
})

test.serial(
  'the directory sends the code to the new address after a change, never to the old one',
  async (t) => {
    const { url } = withMailbox
    const user = await registerUser(url)
    const challenge = await openChallenge(url, user.userId)
    const email = `new-${user.email}`

    const changed = await call(url, 'PUT', `/internal/v1/mfa/users/${user.userId}`, {
      token: await crmToken(url),
      json: { email },
    })

    t.is(changed.status, 200)
    t.is((await call(url, 'POST', challenge.initiate, { token: user.token })).status, 400)
    const again = await openChallenge(url, user.userId)
    t.is((await call(url, 'POST', again.initiate, { token: user.token })).status, 204)
    t.is((await mailsTo(url, email)).length, 1)
    t.deepEqual(await mailsTo(url, user.email, 0), [])
  },
)

for (const [what, statement] of [
  [
    'digest',
    `UPDATE challenges SET operation_digest = '${createHash('sha256').update('other').digest('base64url')}' WHERE id = $1`,
  ],
  [
    'summary',
    `UPDATE challenges SET operation_summary = '[{"label":"Amount","value":"EUR 9,250.00"}]' WHERE id = $1`,
  ],
  ['recipient', `UPDATE otp_issuances SET recipient = 'mallory@example.com' WHERE challenge_id = $1`],
] as const) {
  test.serial(`a ${what} changed in the database ends the challenge of the mailed code`, async (t) => {
    const { url } = withMailbox
    const user = await registerUser(url)
    const challenge = await openChallenge(url, user.userId)
    await call(url, 'POST', challenge.initiate, { token: user.token })
    const [mail] = await mailsTo(url, user.email)

    await db.query(statement, [challenge.id])

    const answer = await call(url, 'POST', challenge.verify, {
      token: user.token,
      json: { totp: codeIn(mail!) },
    })
    t.is(answer.status, 410)
    t.is(answer.body.code, 'urn:plmr:mfa-totp:api:STEP_UP_REQUEST_CONTEXT_NOT_FOUND')
  })
}

for (const [where, subjectIn] of [
  ['another', () => undefined],
  ['the same', (bucket: number) => bucket],
] as const) {
  test.serial(
    `a challenge moved to a subject of ${where} bucket in the database does not take the mailed code from them`,
    async (t) => {
      const { url } = withMailbox
      const alice = await registerUser(url)
      const mallory = await registerUser(url, subjectIn(bucketOf(alice.userId)))
      const challenge = await openChallenge(url, alice.userId)
      await call(url, 'POST', challenge.initiate, { token: alice.token })
      const [mail] = await mailsTo(url, alice.email)
      const move = (columns: string) =>
        db.query(`UPDATE challenges SET ${columns} WHERE id = $1`, [challenge.id, mallory.userId])

      if (where === 'another') {
        await t.throwsAsync(move('subject_user_id = $2'), {
          message: /the bucket is that of another subject|violates foreign key constraint/,
        })
        const withBucket = move('subject_user_id = $2, bucket = bucket_of($2)')
        // The bucket says on which server of a Citus the row is.
        if (database.sharding === 'citus') {
          await t.throwsAsync(withBucket, { message: /partition/ })
          return
        }
        await withBucket
      } else await move('subject_user_id = $2')

      const json = { totp: codeIn(mail!) }
      const answer = await call(url, 'POST', challenge.verify, { token: mallory.token, json })
      t.is(answer.body.code, 'urn:plmr:mfa-totp:api:STEP_UP_REQUEST_CONTEXT_NOT_FOUND')
    },
  )
}

test.serial('the same journey with a real SMTP server', async (t) => {
  // The first service must not deliver what this one is to send.
  await withMailbox.end()
  withSmtp = await startProcess(smtpEnv)

  await journey(t, withSmtp.url, (address, count = 1) =>
    until(
      async () => received.filter(({ to }) => to === address),
      (mails) => mails.length >= count,
    ),
  )
})
