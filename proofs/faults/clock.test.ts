import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import pg from 'pg'
import {
  codeIn,
  hasCode,
  mailsTo,
  openChallenge,
  paymentsToken,
  registerUser,
  tokenOf,
  until,
  wrongCode,
} from '../../test/journeys/client.ts'
import { createDataDir, startProcess } from '../../test/journeys/service-process.ts'
import { type Arrival, type CountingInbox, countingInbox } from '../../test/support/counting-inbox.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { call, type Reply } from '../../test/support/http-call.ts'
import { TcpProxy } from './tcp-proxy.ts'

/* The clock changes while the process lives. One service has a mailbox, and another one sends over SMTP. */

const MINUTE_IN_MS = 60_000
const HOUR_IN_SECONDS = 3600

type SteppedService = Awaited<ReturnType<typeof start>>

let service: SteppedService
let sending: SteppedService
let inbox: CountingInbox
let way: TcpProxy
const arrivals: Arrival[] = []
let take = async (arrival: Arrival) => void arrivals.push(arrival)

test.before(async () => {
  inbox = await countingInbox((arrival) => take(arrival))
  way = await TcpProxy.to(inbox.url)
  service = await start({ SUBJECT_MAX_ISSUANCES: '2' })
  sending = await start({ MAIL_TRANSPORT: 'smtp', SMTP_URL: way.urlOf(inbox.url) })
})

test.after.always(async () => {
  await service?.end()
  await sending?.end()
  await way?.close()
  await inbox?.close()
})

async function start(env: Record<string, string>) {
  const database = await createTestDatabase()
  const dataDir = await createDataDir()
  const file = join(dataDir.path, 'clock-offset')
  const setAhead = async (milliseconds: number) => {
    await writeFile(`${file}.new`, String(milliseconds))
    await rename(`${file}.new`, file)
  }
  await setAhead(0)
  const db = new pg.Pool({ connectionString: database.url })
  const { url, output, end } = await startProcess({
    DATABASE_URL: database.url,
    DATA_DIR: dataDir.path,
    LOG_LEVEL: 'warn',
    CLOCK_OFFSET_FILE: file,
    NODE_OPTIONS: `--import=${import.meta.resolve('./stepped-date.ts')}`,
    ...env,
  })
  return {
    ...walker(url),
    url,
    db,
    output,
    setAhead,
    end: async () => {
      await end('SIGKILL')
      await db.end()
      await dataDir.remove()
    },
  }
}

/** Makes every call with a token of that moment. The tests are not about an issuer with another clock. */
function walker(url: string) {
  return {
    open: async (userId?: string) => {
      const user = userId ?? (await registerUser(url)).userId
      const challenge = await openChallenge(url, user)
      const post = async (path: string, json?: unknown) =>
        call(url, 'POST', path, { token: await tokenOf(url, { sub: user }), ...(json ? { json } : {}) })
      return {
        userId: user,
        challenge,
        initiate: () => post(challenge.initiate),
        verify: (totp: string) => post(challenge.verify, { totp }),
        consume: async () =>
          call(url, 'POST', challenge.consume, {
            token: await paymentsToken(url),
            json: challenge.proof,
            headers: { 'plmr-idempotency-key': challenge.id },
          }),
        // Skips the warning of a lock, which may arrive at any time.
        code: async (count = 1) => codeIn((await mailsTo(url, `${user}@example.com`, count, hasCode))[0]!),
      }
    },
  }
}

function assertRetryAfter(
  t: ExecutionContext,
  expected: 403 | 429,
  { status, headers }: Reply,
  least: number,
  most: number,
) {
  t.is(status, expected)
  const seconds = Number(headers.get('Retry-After'))
  t.true(seconds >= least && seconds <= most, `${seconds} s`)
}

test.serial(
  'a clock that is set back leaves a challenge as it was: its code verifies, its cooldown lasts, its guesses count',
  async (t) => {
    const { url, open, setAhead, output } = service
    await setAhead(0)
    const { challenge, userId, initiate, verify, consume, code } = await open()
    t.is((await initiate()).status, 204)
    const mailed = await code()

    await setAhead(-HOUR_IN_SECONDS * 1000)

    assertRetryAfter(t, 429, await initiate(), HOUR_IN_SECONDS - 60, HOUR_IN_SECONDS + 30)
    const guess = await verify(wrongCode(mailed))
    t.is(guess.status, 400)
    t.regex(guess.headers.get('RateLimit') ?? '', /r=4;/)
    t.is((await verify(mailed)).status, 204)
    t.is((await consume()).status, 200)
    const { body } = await call(url, 'GET', `/internal/v1/mfa/challenges/${challenge.id}/events`, {
      token: await paymentsToken(url),
    })
    t.deepEqual(
      body.events.map(({ type }: { type: string }) => type).filter((type: string) => type !== 'otp-sent'),
      ['challenge-opened', 'otp-issued', 'otp-rejected', 'challenge-verified', 'challenge-consumed'],
    )

    // Later events are not blocked by events that now lie in the future.
    const next = await open(userId)
    t.is((await next.initiate()).status, 204)
    t.is((await next.verify(await next.code(2))).status, 204)
    t.notRegex(output(), /ERROR|FATAL/)
  },
)

test.serial('a code does not outlive its end on the clock, whichever way the clock went', async (t) => {
  const { open, setAhead } = service
  await setAhead(0)
  const { initiate, verify, code } = await open()
  await initiate()
  const mailed = await code()

  await setAhead(-10 * MINUTE_IN_MS)
  await setAhead(6 * MINUTE_IN_MS)

  t.is((await verify(mailed)).status, 400)
  t.is((await initiate()).status, 204)
  t.is((await verify(await code(2))).status, 204)
})

test.serial(
  'a clock that is set forward ends challenges, cooldowns, locks and budgets, and nothing else',
  async (t) => {
    const { open, setAhead, output } = service
    await setAhead(0)
    const first = await open()
    await first.initiate()
    const mailed = await first.code()
    for (let n = 0; n < 4; n++) t.is((await first.verify(wrongCode(mailed))).status, 400)
    const second = await open(first.userId)
    await second.initiate()
    t.is((await second.verify(wrongCode(await second.code(2)))).status, 400)
    assertRetryAfter(t, 403, await second.verify(wrongCode(mailed)), 800, 900)

    await setAhead(16 * MINUTE_IN_MS)

    t.is((await first.verify(mailed)).status, 410)
    t.is((await first.initiate()).status, 400)
    // After the lock, but within the hour.
    const third = await open(first.userId)
    assertRetryAfter(t, 429, await third.initiate(), 1, HOUR_IN_SECONDS)

    await setAhead(61 * MINUTE_IN_MS)

    const fourth = await open(first.userId)
    t.is((await fourth.initiate()).status, 204)
    t.is((await fourth.verify(await fourth.code(3))).status, 204)
    t.notRegex(output(), /ERROR|FATAL/)
  },
)

test.serial('a clock that is set back after a lock leaves it in place', async (t) => {
  const { open, setAhead } = service
  await setAhead(0)
  const { userId, initiate, verify, code } = await open()
  await initiate()
  const mailed = await code()
  for (let n = 0; n < 5; n++) t.is((await verify(wrongCode(mailed))).status, 400)

  await setAhead(-HOUR_IN_SECONDS * 1000)

  const next = await open(userId)
  assertRetryAfter(t, 403, await next.initiate(), HOUR_IN_SECONDS, 2 * HOUR_IN_SECONDS)
})

test.serial(
  'a clock that is set forward within a hand-over ends its lease: the mail goes out twice, with one code, and is recorded once',
  async (t) => {
    const { open, setAhead, db } = sending
    await setAhead(0)
    const answered = Promise.withResolvers<void>()
    take = async (arrival) => {
      arrivals.push(arrival)
      await answered.promise
    }
    const { challenge, initiate, verify } = await open()
    t.is((await initiate()).status, 204)
    const arrived = (count: number) =>
      until(
        async () => arrivals.length,
        (length) => length >= count,
      )
    await arrived(1)

    await setAhead(MINUTE_IN_MS)
    await arrived(2)
    answered.resolve()

    await until(
      async () =>
        (
          await db.query(`SELECT 1 FROM challenge_events WHERE challenge_id = $1 AND type = 'otp-sent'`, [
            challenge.id,
          ])
        ).rowCount,
      (sent) => sent === 1,
    )
    t.is(new Set(arrivals.map(({ code }) => code)).size, 1)
    t.is((await verify(arrivals[0]!.code)).status, 204)
  },
)

test.serial(
  'a mail that waits while the clock is set back leaves at the latest when the clock is right again',
  async (t) => {
    const { open, setAhead, output } = sending
    await setAhead(0)
    take = async (arrival) => void arrivals.push(arrival)
    arrivals.length = 0
    await way.refuse()
    const { initiate, verify } = await open()
    t.is((await initiate()).status, 204)
    await until(
      async () => output(),
      (log) => log.includes('mail attempt'),
    )

    await setAhead(-HOUR_IN_SECONDS * 1000)
    await way.pass()
    assertRetryAfter(t, 429, await initiate(), HOUR_IN_SECONDS - 60, HOUR_IN_SECONDS + 30)
    await setAhead(0)

    await until(
      async () => arrivals.length,
      (count) => count >= 1,
    )
    t.is((await verify(arrivals[0]!.code)).status, 204)
  },
)
