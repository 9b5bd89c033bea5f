import test from 'ava'
import { openChallenge, registerUser, until } from '../../test/journeys/client.ts'
import { type Arrival, type CountingInbox, countingInbox } from '../../test/support/counting-inbox.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { call } from '../../test/support/http-call.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { inTime, ready, startTroubledService, type TroubledService } from './troubled-service.ts'

/* All tests share one service, so they run one after the other. The last one ends it. */

const arrivals: Arrival[] = []
let take = async (arrival: Arrival) => void arrivals.push(arrival)
let inbox: CountingInbox
let way: TcpProxy
let service: TroubledService

test.before(async () => {
  const database = await createTestDatabase()
  inbox = await countingInbox((arrival) => take(arrival))
  way = await TcpProxy.to(inbox.url)
  service = await startTroubledService(database.url, {
    MAIL_TRANSPORT: 'smtp',
    SMTP_URL: way.urlOf(inbox.url),
    OTP_RESEND_COOLDOWN_SECONDS: '1',
    LOG_LEVEL: 'info',
  })
})

test.afterEach.always(async () => {
  take = async (arrival) => void arrivals.push(arrival)
  await way?.pass()
})

test.after.always(async () => {
  await service?.end()
  await way?.close()
  await inbox?.close()
})

async function opened() {
  const { userId, email, token } = await registerUser(service.url)
  const challenge = await openChallenge(service.url, userId)
  return {
    challenge,
    email,
    initiate: () => inTime(call(service.url, 'POST', challenge.initiate, { token })),
    verify: (totp: string) => inTime(call(service.url, 'POST', challenge.verify, { token, json: { totp } })),
    delivery: async () =>
      (await call(service.url, 'GET', `/internal/v1/mfa/challenges/${challenge.id}`, { token })).body.issuance
        .delivery as string,
    /** Waits for this many codes, and returns them, oldest first. */
    codes: async (count: number) => {
      const { db } = service
      const codes = async () => {
        const { rows } = await db.query<{ id: string }>(
          'SELECT id FROM otp_issuances WHERE challenge_id = $1',
          [challenge.id],
        )
        const ids = rows.map(({ id }) => id)
        return arrivals.filter(({ issuanceId }) => ids.includes(issuanceId)).map(({ code }) => code)
      }
      return until(codes, ({ length }) => length >= count)
    },
  }
}

for (const [what, fault] of [
  ['refuses connections', () => way.refuse()],
  ['keeps silent', async () => way.hang()],
] as const) {
  test.serial(
    `while the mail server ${what}, initiate is answered; the mail leaves when it is back, once, and its code verifies`,
    async (t) => {
      const { initiate, verify, codes, delivery } = await opened()

      await fault()
      const before = attempts()
      t.is((await initiate()).status, 204)
      await ready(service.url)
      await until(
        async () => attempts() - before,
        (count) => count >= 1,
      )
      t.is(await delivery(), 'queued')
      await way.pass()

      const [code] = await codes(1)
      await until(delivery, (status) => status === 'sent')
      t.is((await codes(1)).length, 1)
      t.is((await verify(code!)).status, 204)
    },
  )
}

/** The delivery attempts in the log. */
function attempts(): number {
  return service.process.output().match(/mail attempt/g)?.length ?? 0
}

test.serial(
  'a mail that the mail server took and lost is made up for by the next, whose code alone counts',
  async (t) => {
    const { initiate, verify, codes, delivery } = await opened()

    t.is((await initiate()).status, 204)
    await until(delivery, (status) => status === 'sent')
    await until(initiate, ({ status }) => status === 204)
    const [lost, code] = await codes(2)

    t.is((await verify(lost!)).status, 400)
    t.is((await verify(code!)).status, 204)
  },
)

test.serial('a mail server that refuses a mail, and repeats it, gets none of it into the log', async (t) => {
  const { initiate, delivery, email } = await opened()
  let code = ''
  take = async (arrival) => {
    code = arrival.code
    throw Object.assign(new Error(`<${email}> is unknown, the mail was ${code}`), { responseCode: 550 })
  }

  t.is((await initiate()).status, 204)
  t.is(await until(delivery, (status) => status !== 'queued'), 'failed')

  t.not(code, '')
  t.false(service.process.output().includes(email))
  t.notRegex(service.process.output(), new RegExp(`\\b${code}\\b`))
})

test.serial(
  'SIGTERM while the mail server keeps silent ends the process in order and in time, and its mail stays due',
  async (t) => {
    const { initiate, challenge } = await opened()

    way.hang()
    t.is((await initiate()).status, 204)
    const { rows } = await until(
      () =>
        service.db.query(
          'SELECT status FROM otp_issuances WHERE challenge_id = $1 AND delivery_attempts = 1',
          [challenge.id],
        ),
      (claimed) => claimed.rowCount === 1,
    )
    t.deepEqual(rows, [{ status: 'queued' }])

    t.is(await inTime(service.process.end('SIGTERM')), 0, service.process.output())
    const after = await service.db.query('SELECT status FROM otp_issuances WHERE challenge_id = $1', [
      challenge.id,
    ])
    t.deepEqual(after.rows, [{ status: 'queued' }])
  },
)
