import test from 'ava'
import { DeliverOtp } from '../../../src/application/codes/deliver-otp.ts'
import type { Claim, DeliveryTraces } from '../../../src/application/ports/delivery-traces.ts'
import { MailUnavailable } from '../../../src/application/ports/mail-transport.ts'
import { OtpIssuance } from '../../../src/domain/otp-issuance.ts'
import { afterNoon, NOON, TRANSFER } from '../../domain/examples.ts'
import { PlainTotp } from '../../doubles/plain-totp.ts'
import { scenario } from '../scenario.ts'

async function issued() {
  const all = await scenario()
  const id = await all.open()
  await all.issue(id)
  const issuance = async () => (await all.store.stepUps.load(id))!.issuance!
  return { ...all, id, issuance }
}

test('a queued mail is sent once, with code, reference and the operation as it was given', async (t) => {
  const { deliver, issuance, mails, notices } = await issued()

  const [report] = await deliver()

  t.like(report, { outcome: 'sent', attempt: 1 })
  t.like(mails[0], { to: 'alice@example.com', id: (await issuance()).id, kind: 'otp', text: '000001' })
  const reference = OtpIssuance.reference(await issuance())
  t.like(notices[0], { clientId: 'payments', code: '000001', reference, locale: 'de' })
  t.deepEqual(notices[0]?.summary, TRANSFER.summary)
  t.like(await issuance(), { status: 'sent', messageId: 'm-1' })
  t.deepEqual(await deliver(), [])
  t.is(mails.length, 1)
})

test('a mail to somebody without an entry in the directory goes out without a name', async (t) => {
  const { deliver, store, notices, mails } = await issued()
  const claim = store.outbox.claim.bind(store.outbox)
  store.outbox.claim = async (...args) =>
    (await claim(...args)).map((delivery) => ({ ...delivery, user: undefined }))

  t.like((await deliver())[0], { outcome: 'sent' })
  t.is(mails.length, 1)
  t.like(notices[0], { locale: undefined, displayName: undefined })
})

test('an installation without report links sends mails without one, and a trace gets the times of the claim', async (t) => {
  const { store, transport, notices, clock } = await issued()
  const claim = store.outbox.claim.bind(store.outbox)
  store.outbox.claim = async (...args) => {
    clock.pass(2)
    return claim(...args)
  }
  const composer = {
    compose: (notice: (typeof notices)[number]) => {
      notices.push(notice)
      return { subject: 'Code', text: notice.code, html: notice.code }
    },
  }
  const claims: Claim[] = []
  const traces: DeliveryTraces = {
    follow: (_, each, attempt) => {
      claims.push(each)
      return attempt()
    },
  }
  const outcomes = store.mailOutcomes
  const ports = [store.outbox, new PlainTotp(), composer, transport, outcomes, clock, traces] as const

  const [attempt] = await new DeliverOtp(...ports).execute(1)

  t.like(await attempt!(), { outcome: 'sent' })
  t.is(notices.at(-1)?.reportUrl, undefined)
  t.deepEqual(claims, [{ from: NOON, until: afterNoon(2) }])
})

test('a mail that could not be handed over is sent again, with the same code', async (t) => {
  const { deliver, issuance, transport, mails, notices, clock } = await issued()
  transport.mode = 'unavailable'
  t.like((await deliver())[0], { outcome: 'queued' })
  t.like(await issuance(), { status: 'queued', nextAttemptAt: afterNoon(1) })

  transport.mode = 'taking'
  t.deepEqual(await deliver(), [])
  clock.pass(1)
  t.like((await deliver())[0], { outcome: 'sent', attempt: 2 })
  t.is(mails.length, 1)
  t.is(new Set(notices.map(({ code }) => code)).size, 1)
})

test('the trail keeps what the mail system replied to each attempt that failed, in codes', async (t) => {
  const { deliver, transport, clock, store } = await issued()
  transport.mode = 'unavailable'
  await deliver()
  clock.pass(1)
  transport.mode = 'silent'
  await deliver()
  clock.pass(2)
  transport.mode = 'refusing'
  await deliver()

  t.like(store.events.slice(-3), [
    { type: 'otp-deferred', attempt: 1, reply: 'memory 451' },
    { type: 'otp-deferred', attempt: 2 },
    { type: 'otp-failed', reason: 'refused', reply: 'memory 550' },
  ])
  t.false('reply' in store.events.at(-2)!)
})

test('a mail that is never taken is tried again and again until the end of its code, and never after', async (t) => {
  const { deliver, issuance, transport, clock } = await issued()
  const tried: number[] = []
  transport.send = async () => {
    tried.push((clock.now().getTime() - NOON.getTime()) / 1000)
    throw new MailUnavailable('not now')
  }

  for (let second = 0; second <= 900; second++) {
    await deliver()
    clock.pass(1)
  }

  t.deepEqual(tried, [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181, 211, 241, 271])
  t.like(await issuance(), { status: 'failed', reason: 'code-expired' })
})

for (const [when, seconds, outcome, sent] of [
  ['in the last millisecond of its code', 299.999, 'sent', 1],
  ['at the end of its code', 300, 'failed', 0],
] as const) {
  test(`a mail that comes to its turn ${when} is ${outcome}`, async (t) => {
    const { deliver, clock, mails } = await issued()
    clock.pass(seconds)

    t.like((await deliver())[0], { outcome })
    t.is(mails.length, sent)
  })
}

test('a mail that may have gone out is sent again, with the same code', async (t) => {
  const { deliver, transport, clock, notices } = await issued()
  transport.mode = 'silent'
  t.like((await deliver())[0], { outcome: 'queued' })

  transport.mode = 'taking'
  clock.pass(1)

  t.like((await deliver())[0], { outcome: 'sent', attempt: 2, transport: 'memory' })
  t.is(new Set(notices.map(({ code }) => code)).size, 1)
})

test('a mail carries the end of its code to the transport', async (t) => {
  const { deliver, mails } = await issued()

  await deliver()

  t.deepEqual(mails[0]?.expiresAt, afterNoon(300))
})

test('a mail that is refused for good is not tried again', async (t) => {
  const { deliver, issuance, transport, clock } = await issued()
  transport.mode = 'refusing'

  t.like((await deliver())[0], { outcome: 'failed' })
  t.like(await issuance(), { status: 'failed', reason: 'refused' })
  clock.pass(100)
  t.deepEqual(await deliver(), [])
})

test('a defect leaves the mail to the end of its lease, and is reported', async (t) => {
  const { deliver, issuance, transport, clock } = await issued()
  const send = transport.send
  const defect = new TypeError('a defect')
  transport.send = async () => {
    throw defect
  }
  t.like((await deliver())[0], { outcome: 'unrecorded', error: defect })
  t.is((await issuance()).status, 'queued')

  transport.send = send
  clock.pass(29.999)
  t.deepEqual(await deliver(), [])
  clock.pass(0.001)
  t.like((await deliver())[0], { outcome: 'sent' })
})

test('an attempt that outlived its lease is reported as outdated, not as sent, with the transport that took its mail', async (t) => {
  const { deliver, issuance, transport, clock } = await issued()
  const send = transport.send.bind(transport)
  const [asked, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  transport.send = async (message) => {
    asked.resolve()
    await slow.promise
    return send(message)
  }
  const late = deliver()
  await asked.promise
  transport.send = send
  clock.pass(30)
  t.like((await deliver())[0], { outcome: 'sent', attempt: 2 })

  slow.resolve()

  t.like((await late)[0], { outcome: 'outdated', attempt: 1, transport: 'memory' })
  t.like(await issuance(), { status: 'sent', deliveryAttempts: 2 })
})

test('no mail is sent for a challenge that is over', async (t) => {
  const { deliver, issuance, putUser, mails } = await issued()
  await putUser.execute({
    userId: 'alice',
    email: 'a@elsewhere.example',
    clientId: 'crm',
    origin: { requestId: 'r' },
  })

  t.like((await deliver())[0], { outcome: 'failed' })
  t.like(await issuance(), { status: 'failed', reason: 'challenge-over' })
  t.is(mails.length, 0)
})

test('no mail is sent whose code does not count any more', async (t) => {
  const { deliver, id, issue, clock, mails } = await issued()
  clock.pass(30)
  await issue(id)

  const reports = await deliver()

  t.deepEqual(reports.map(({ outcome }) => outcome).toSorted(), ['failed', 'sent'])
  t.deepEqual(
    mails.map(({ text }) => text),
    ['000002'],
  )
})

test('two deliverers do not send one mail twice', async (t) => {
  const { deliver, mails } = await issued()

  await Promise.all([deliver(), deliver(), deliver()])

  t.is(mails.length, 1)
})
