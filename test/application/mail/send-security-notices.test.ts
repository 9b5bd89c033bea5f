import { randomUUID } from 'node:crypto'
import test from 'ava'
import { SendSecurityNotices } from '../../../src/application/mail/send-security-notices.ts'
import { ALICE, NOON } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

async function moved() {
  const all = await scenario()
  const origin = { requestId: 'r' }
  await all.putUser.execute({
    ...{ userId: 'alice', email: 'alice@elsewhere.example', locale: 'fr', clientId: 'crm' },
    origin,
  })
  return all
}

test('a changed address is told to the one before, once, in the language of the entry before', async (t) => {
  const { tell, mails, news, store } = await moved()

  t.like((await tell())[0], { outcome: 'sent', attempt: 1 })
  t.deepEqual(await tell(), [])

  t.is(mails.length, 1)
  t.like(mails[0], { to: 'alice@example.com', kind: 'security-notice' })
  t.deepEqual(news, [
    { clientId: 'crm', kind: 'address-changed', happenedAt: NOON, locale: 'de', displayName: undefined },
  ])
  t.like(store.events.at(-1), {
    ...{ type: 'security-notice-sent', about: 'address-changed', subjectUserId: 'alice', attempt: 1 },
    actor: 'service',
  })
})

test('a mail system that is away gets the mail again, and after a day no more', async (t) => {
  const { tell, transport, clock, mails, store } = await moved()
  transport.mode = 'unavailable'

  t.like((await tell())[0], { outcome: 'queued' })
  t.is(store.events.filter(({ type }) => type.startsWith('security-notice')).length, 0)
  clock.pass(86_400)
  transport.mode = 'taking'
  t.like((await tell())[0], { outcome: 'failed' })

  t.is(mails.length, 0)
  t.like(store.events.at(-1), { type: 'security-notice-failed', reason: 'too-late' })
})

test('a mail that is refused for good is not tried again', async (t) => {
  const { tell, transport, store } = await moved()
  transport.mode = 'refusing'

  t.like((await tell())[0], { outcome: 'failed' })

  t.deepEqual(await tell(), [])
  t.like(store.events.at(-1), { type: 'security-notice-failed', reason: 'refused' })
})

test('an attempt that outlived its lease is reported as outdated, not as sent', async (t) => {
  const { tell, store, mails } = await moved()
  store.securityNotices.record = async () => false

  t.like((await tell())[0], { outcome: 'outdated', attempt: 1, transport: 'memory' })
  t.is(mails.length, 1)
})

test('a notice beyond what a mailbox may get about one user is not sent, on record', async (t) => {
  const { putUser, tell, mails, store } = await scenario()
  const origin = { requestId: 'r' }
  for (let n = 0; n < 22; n++) {
    const email = n % 2 === 0 ? 'alice@elsewhere.example' : 'alice@example.com'
    await putUser.execute({ userId: 'alice', email, clientId: 'crm', origin })
  }

  const reports = await tell(50)

  t.is(reports.filter(({ outcome }) => outcome === 'failed').length, 2)
  t.deepEqual(mails.map(({ to }) => String(to)).toSorted(), [
    ...Array(10).fill('alice@elsewhere.example'),
    ...Array(10).fill('alice@example.com'),
  ])
  const failed = store.events.filter(({ type }) => type === 'security-notice-failed')
  t.is(failed.length, 2)
  t.like(failed[0], { about: 'address-changed', reason: 'too-many' })
})

test('the third call for another operation tells the user, and the two before do not', async (t) => {
  const { open, issue, verify, consume, tell, news } = await scenario()
  const id = await open()
  await issue(id)
  await verify(id, '000001')
  const mismatch = () =>
    consume(id, { digest: 'A'.repeat(43), idempotency: { key: randomUUID(), fingerprint: 'f' } })

  await mismatch()
  await mismatch()
  t.deepEqual(await tell(), [])
  await mismatch()
  await mismatch()

  t.is((await tell()).length, 1)
  t.like(news[0], { clientId: 'payments', kind: 'operation-mismatch', locale: 'de' })
})

test('a user who is not in the directory hears of it too, and an outcome that is not recorded is told', async (t) => {
  const { news, transport, clock } = await moved()
  const notice = {
    id: randomUUID(),
    kind: 'operation-mismatch',
    subjectUserId: 'bob',
    recipient: ALICE,
    happenedAt: NOON,
    status: 'queued',
    deliveryAttempts: 2,
    nextAttemptAt: NOON,
  } as const
  const failure = new Error('away')
  const notices = {
    claim: async () => [{ notice, user: undefined, isSurplus: false }],
    record: async () => {
      throw failure
    },
  }
  const composer = {
    compose: (each: (typeof news)[number]) => {
      news.push(each)
      return { subject: 'News', text: 'news', html: 'news' }
    },
  }

  const [attempt] = await new SendSecurityNotices(notices, composer, transport, clock).execute(1)

  t.deepEqual(await attempt!(), { noticeId: notice.id, attempt: 2, outcome: 'unrecorded', error: failure })
  t.deepEqual(news.at(-1), {
    ...{ clientId: undefined, kind: 'operation-mismatch', happenedAt: NOON },
    ...{ locale: undefined, displayName: undefined },
  })
})
