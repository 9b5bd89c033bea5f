import test from 'ava'
import { SendLockNotices } from '../../../src/application/mail/send-lock-notices.ts'
import { MailUnavailable } from '../../../src/application/ports/mail-transport.ts'
import { StorageUnavailable } from '../../../src/contracts/storage-unavailable.ts'
import { SubjectMismatch } from '../../../src/domain/challenge.ts'
import { SubjectLocked } from '../../../src/domain/subject-standing.ts'
import { afterNoon, NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

/** Alice has given as many wrong codes as there may be, over two challenges. */
async function locked() {
  const all = await scenario()
  const ids = [await all.open(), await all.open()]
  for (const id of [ids[0]!, ids[0]!, ids[1]!, ids[1]!, ids[1]!]) await all.verify(id, '999999')
  return { ...all, ids }
}

test('the failure that locks the subject has one mail sent, and no other failure has', async (t) => {
  const { open, verify, warn, mails, warnings } = await scenario()
  const id = await open()
  for (let failure = 1; failure <= 4; failure++) {
    await verify(id, '999999')
    t.deepEqual(await warn(), [])
  }

  await verify(id, '999999')

  t.like((await warn())[0], { challengeId: id, outcome: 'sent', attempt: 1, transport: 'memory' })
  t.deepEqual(await warn(), [])
  t.like(mails, [{ to: 'alice@example.com', kind: 'lock-notice', expiresAt: afterNoon(900) }])
  t.is(mails.length, 1)
  const reportUrl = `https://bank.example/report/lock-notice.${id}`
  t.deepEqual(warnings, [
    { clientId: 'payments', lockedUntil: afterNoon(900), locale: 'de', displayName: undefined, reportUrl },
  ])
})

test('a mail to somebody without an entry in the directory goes out without a name', async (t) => {
  const { warn, store, warnings, mails } = await locked()
  const claim = store.lockNotices.claim.bind(store.lockNotices)
  store.lockNotices.claim = async (...args) =>
    (await claim(...args)).map((delivery) => ({ ...delivery, user: undefined }))

  t.like((await warn())[0], { outcome: 'sent' })
  t.is(mails.length, 1)
  t.like(warnings[0], { locale: undefined, displayName: undefined })
})

test('an installation without report links sends warnings without one', async (t) => {
  const { store, transport, clock, warnings, mails } = await locked()
  const composer = {
    compose: (warning: (typeof warnings)[number]) => {
      warnings.push(warning)
      return { subject: 'Locked', text: 'locked', html: 'locked' }
    },
  }

  const [attempt] = await new SendLockNotices(store.lockNotices, composer, transport, clock).execute(1)

  t.like(await attempt!(), { outcome: 'sent' })
  t.is(mails.length, 1)
  t.is(warnings.at(-1)?.reportUrl, undefined)
})

test('what a locked subject tries sends no more mails', async (t) => {
  const { ids, open, verify, warn, mails } = await locked()
  await warn()

  for (const id of [...ids, await open()]) {
    await t.throwsAsync(verify(id, '999999'), { instanceOf: SubjectLocked })
  }

  await t.throwsAsync(verify(await open(), '999999'), { instanceOf: SubjectLocked })
  t.deepEqual(await warn(), [])
  t.is(mails.length, 1)
})

test('of a concurrent burst of wrong codes over ten challenges one mail is sent', async (t) => {
  const { open, verify, warn, mails } = await scenario()
  const ids = await Promise.all(Array.from({ length: 10 }, () => open()))
  await Promise.allSettled(ids.flatMap((id) => [verify(id, '999999'), verify(id, '999998')]))

  await Promise.all([warn(), warn(), warn()])

  t.is(mails.length, 1)
})

test("a stranger's token neither locks the subject nor has a mail sent", async (t) => {
  const { open, verify, warn, store } = await scenario()
  const id = await open()

  for (let attempt = 0; attempt < 10; attempt++) {
    await t.throwsAsync(verify(id, '999999', 'mallory'), { instanceOf: SubjectMismatch })
  }

  t.deepEqual(await warn(), [])
  t.like((await store.stepUps.load(id))?.standing, { consecutiveFailures: 0, lockedUntil: undefined })
})

test('the next lock has the next mail, with its own end', async (t) => {
  const { open, verify, warn, clock, warnings, mails } = await locked()
  await warn()
  clock.pass(900)
  const id = await open()
  for (let failure = 1; failure <= 5; failure++) await verify(id, '999999')

  await warn()

  t.deepEqual(
    warnings.map(({ lockedUntil }) => lockedUntil),
    [afterNoon(900), afterNoon(900 + 1800)],
  )
  t.is(new Set(mails.map(({ id: mailId }) => mailId)).size, 2)
})

test('a mail that could not be handed over is sent again, under the same id', async (t) => {
  const { warn, transport, mails, clock } = await locked()
  const ids: string[] = []
  const send = transport.send.bind(transport)
  transport.send = (message) => {
    ids.push(message.id)
    return send(message)
  }
  transport.mode = 'silent'
  t.like((await warn())[0], { outcome: 'queued' })

  transport.mode = 'taking'
  t.deepEqual(await warn(), [])
  clock.pass(1)
  t.like((await warn())[0], { outcome: 'sent', attempt: 2 })
  t.is(mails.length, 1)
  t.deepEqual(ids, [ids[0], ids[0]])
})

test('a mail that is never taken is tried again and again until the end of the lock, and never after', async (t) => {
  const { warn, transport, clock, store, ids } = await locked()
  const tried: number[] = []
  transport.send = async () => {
    tried.push((clock.now().getTime() - NOON.getTime()) / 1000)
    throw new MailUnavailable('not now')
  }

  for (let second = 0; second <= 1000; second++) {
    await warn()
    clock.pass(1)
  }

  t.deepEqual(tried.slice(0, 8), [0, 1, 3, 7, 15, 31, 61, 91])
  t.is(tried.at(-1), 871)
  t.like((await store.trail.eventsOf(ids[1]!)).at(-1), { type: 'lock-notice-failed', reason: 'lock-over' })
})

for (const [when, seconds, outcome, sent] of [
  ['in the last millisecond of its lock', 899.999, 'sent', 1],
  ['at the end of its lock', 900, 'failed', 0],
] as const) {
  test(`a mail that comes to its turn ${when} is ${outcome}`, async (t) => {
    const { warn, clock, mails } = await locked()
    clock.pass(seconds)

    t.like((await warn())[0], { outcome })
    t.is(mails.length, sent)
  })
}

test('the trail says of a mail that comes too late that its lock was over', async (t) => {
  const { warn, clock, store, ids } = await locked()
  clock.pass(900)

  await warn()

  t.like((await store.trail.eventsOf(ids[1]!)).at(-1), { type: 'lock-notice-failed', reason: 'lock-over' })
})

for (const mode of ['refusing', 'suppressing'] as const) {
  test(`a mail that a ${mode} mail system refuses for good is not tried again`, async (t) => {
    const { warn, transport, clock, store, ids } = await locked()
    transport.mode = mode

    t.like((await warn())[0], { outcome: 'failed' })
    clock.pass(100)
    t.deepEqual(await warn(), [])
    t.like((await store.trail.eventsOf(ids[1]!)).at(-1), { type: 'lock-notice-failed', reason: 'refused' })
  })
}

test('a defect leaves the mail to the end of its lease, and is reported', async (t) => {
  const { warn, transport, clock } = await locked()
  const { send } = transport
  const defect = new TypeError('a defect')
  transport.send = async () => {
    throw defect
  }
  t.like((await warn())[0], { outcome: 'unrecorded', error: defect })

  transport.send = send
  clock.pass(29.999)
  t.deepEqual(await warn(), [])
  clock.pass(0.001)
  t.like((await warn())[0], { outcome: 'sent', attempt: 2 })
})

test('a mail whose hand-over could not be recorded is sent once more, under the same id', async (t) => {
  const { warn, store, mails, clock } = await locked()
  const { record } = store.lockNotices
  store.lockNotices.record = () => Promise.reject(new StorageUnavailable('away'))
  t.like((await warn())[0], { outcome: 'unrecorded' })

  store.lockNotices.record = record
  clock.pass(30)
  t.like((await warn())[0], { outcome: 'sent', attempt: 2 })
  clock.pass(30)
  t.deepEqual(await warn(), [])
  t.is(mails.length, 2)
  t.is(new Set(mails.map(({ id }) => id)).size, 1)
})

test('an attempt that outlived its lease is reported as outdated, not as sent, with the transport that took its mail', async (t) => {
  const { warn, transport, clock, store, ids } = await locked()
  const send = transport.send.bind(transport)
  const [asked, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  transport.send = async (message) => {
    asked.resolve()
    await slow.promise
    return send(message)
  }
  const late = warn()
  await asked.promise
  transport.send = send
  clock.pass(30)
  t.like((await warn())[0], { outcome: 'sent', attempt: 2 })

  slow.resolve()

  t.like((await late)[0], { outcome: 'outdated', attempt: 1, transport: 'memory' })
  const sent = (await store.trail.eventsOf(ids[1]!)).filter(({ type }) => type === 'lock-notice-sent')
  t.like(sent, [{ attempt: 2 }])
})

test('of a user who was erased, a mail that was queued is not sent', async (t) => {
  const { warn, eraseUser, store, ids, mails } = await locked()

  await eraseUser.execute({ userId: 'alice', clientId: 'crm', origin: { requestId: 'r' } })

  t.deepEqual(await warn(), [])
  t.is(mails.length, 0)
  t.true((await store.trail.eventsOf(ids[1]!)).some((event) => event.type === 'lock-notice-failed'))
})

test('the trail of the challenge that locked its subject says that a mail was sent about it', async (t) => {
  const { warn, auditChallenge, ids } = await locked()
  await warn()

  const events = await auditChallenge.execute(ids[1]!, 'payments')

  t.deepEqual(
    events.map(({ type }) => type),
    [
      'challenge-opened',
      'otp-rejected',
      'otp-rejected',
      'otp-rejected',
      'subject-locked',
      'lock-notice-sent',
    ],
  )
  t.like(events.at(-1), { actor: 'service', subjectUserId: 'alice', attempt: 1 })
})
