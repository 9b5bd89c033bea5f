import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { MailEvent } from '../../../src/domain/mail-outcome.ts'
import { UserUnreachable } from '../../../src/domain/user.ts'
import { afterNoon } from '../../domain/examples.ts'
import { scenario } from '../scenario.ts'

const origin = { requestId: 'r-1', remoteAddress: '192.0.2.7' }
const hardBounce = (seconds: number): MailEvent => ({
  outcome: 'bounced',
  kind: 'hard-bounce',
  at: afterNoon(seconds),
})

/** A mail to Alice that was handed over at noon, and a minute that has passed since. */
async function mailed() {
  const all = await scenario()
  const id = await all.open()
  await all.issue(id)
  await all.deliver()
  all.clock.pass(60)
  const stepUp = async () => (await all.store.stepUps.load(id))!
  const { id: issuanceId } = (await stepUp()).issuance!
  return {
    ...{ ...all, id, issuanceId, stepUp },
    hear: (news: MailEvent) => all.recordMailEvent.execute({ issuanceId, event: news, origin }),
    lift: (userId = 'alice') => all.liftSuppression.execute({ userId, actor: 'client:crm', origin }),
  }
}

test('a report is stored once, on behalf of the mail system', async (t) => {
  const { hear, stepUp, store } = await mailed()
  const news: MailEvent = { outcome: 'delivered', at: afterNoon(2) }

  t.is(await hear(news), 'stored')
  t.is(await hear(news), 'known')

  t.like((await stepUp()).issuance, { status: 'delivered', deliveredAt: afterNoon(2) })
  t.like(store.events.at(-1), { type: 'otp-delivered', actor: 'mail-system', ...origin })
})

test('a report about no issuance of ours changes nothing', async (t) => {
  const { recordMailEvent, store } = await mailed()
  const events = store.events.length

  const reception = await recordMailEvent.execute({ issuanceId: randomUUID(), event: hardBounce(3), origin })

  t.is(reception, 'unknown')
  t.is(store.events.length, events)
})

test('a report from the future is one of now', async (t) => {
  const { hear, stepUp } = await mailed()

  await hear({ outcome: 'delivered', at: afterNoon(86_400) })

  t.like((await stepUp()).issuance, { deliveredAt: afterNoon(60) })
})

test('after a hard bounce the next code is refused at once, for every challenge of the subject', async (t) => {
  const { hear, issue, open, id, rings } = await mailed()
  const rung = rings.length
  await hear(hardBounce(3))

  for (const challengeId of [id, await open()]) {
    await t.throwsAsync(issue(challengeId), { instanceOf: UserUnreachable })
  }
  t.is(rings.length, rung)
})

test('no resend is offered while the address is out of use', async (t) => {
  const { hear, lift, inspectChallenge, id } = await mailed()
  const resendAvailableAt = async () =>
    (await inspectChallenge.execute(id, { kind: 'user', userId: 'alice' })).resendAvailableAt
  t.deepEqual(await resendAvailableAt(), afterNoon(30))

  await hear(hardBounce(3))
  t.is(await resendAvailableAt(), undefined)

  await lift()
  t.deepEqual(await resendAvailableAt(), afterNoon(30))
})

test('a code that arrived counts, whatever is said of the mail or the address', async (t) => {
  const { hear, verify, id } = await mailed()
  await hear({ outcome: 'bounced', kind: 'complaint', at: afterNoon(3) })

  t.like(await verify(id, '000001'), { outcome: 'verified' })
})

test('a changed address gets codes again', async (t) => {
  const { hear, issue, open, putUser } = await mailed()
  await hear(hardBounce(3))

  await putUser.execute({ userId: 'alice', email: 'alice@elsewhere.example', clientId: 'crm', origin })

  await t.notThrowsAsync(issue(await open()))
})

test('a lift lets codes out again, once, on the trail of who lifted', async (t) => {
  const { hear, lift, issue, id, store } = await mailed()
  await hear(hardBounce(3))

  await lift()
  await lift()

  await t.notThrowsAsync(issue(id))
  const lifts = store.events.filter(({ type }) => type === 'suppression-lifted')
  t.is(lifts.length, 1)
  t.like(lifts[0], { subjectUserId: 'alice', actor: 'client:crm', at: afterNoon(60), ...origin })
})

test('a bounce that is told again after a lift does not count again', async (t) => {
  const { hear, lift, issue, id } = await mailed()
  await hear(hardBounce(3))
  await lift()

  t.is(await hear(hardBounce(3)), 'known')

  await t.notThrowsAsync(issue(id))
})

test('to lift what is not held against anybody, or against nobody, is without effect', async (t) => {
  const { lift, store } = await mailed()
  const events = store.events.length

  await lift('alice')
  await lift('nobody')

  t.is(store.events.length, events)
})

test('an address that the mail system sends to again is lifted for all whose it is, in any case', async (t) => {
  const { hear, issue, id, releaseAddress, store } = await mailed()
  await hear(hardBounce(3))
  const release = (address: string, seconds: number) =>
    releaseAddress.execute({ address, at: afterNoon(seconds), origin })

  t.is(await release('somebody@example.com', 10), 0)
  await t.throwsAsync(issue(id), { instanceOf: UserUnreachable })
  t.is(await release('ALICE@example.com', 10), 1)
  await t.notThrowsAsync(issue(id))
  t.like(
    store.events.find(({ type }) => type === 'suppression-lifted'),
    { actor: 'mail-system', at: afterNoon(10) },
  )
})

test('an address is lifted by another spelling of its domain, and by no text that is no address', async (t) => {
  const { recordMailEvent, issue, deliver, open, putUser, releaseAddress, store } = await mailed()
  await putUser.execute({ userId: 'alice', email: 'alice@bücher.example', clientId: 'crm', origin })
  const id = await open()
  await issue(id)
  await deliver()
  const issuanceId = (await store.stepUps.load(id))!.issuance!.id
  await recordMailEvent.execute({ issuanceId, event: hardBounce(63), origin })
  const release = (address: string) => releaseAddress.execute({ address, at: afterNoon(64), origin })

  t.is(await release('Alice <alice@bücher.example>'), 0)
  t.is(await release('alice@Bu\u0308cher.example'), 1)
})

test('a text that is no address asks storage for no mailbox, because none could stand for all', async (t) => {
  const { releaseAddress, store } = await mailed()
  store.suppressions.findByMailbox = async () => t.fail('asked')

  t.is(await releaseAddress.execute({ address: 'all', at: afterNoon(64), origin }), 0)
})

test('an old release does not lift a later suppression, nor is it a decision', async (t) => {
  const { hear, issue, id, releaseAddress, stepUp } = await mailed()
  await hear(hardBounce(30))

  const { version } = (await stepUp()).standing
  await releaseAddress.execute({ address: 'alice@example.com', at: afterNoon(29), origin })

  t.is((await stepUp()).standing.version, version)
  await t.throwsAsync(issue(id), { instanceOf: UserUnreachable })
})

test('a recipient whom the mail system sends nothing to is out of use from then on', async (t) => {
  const { open, issue, deliver, transport, store } = await scenario()
  const id = await open()
  await issue(id)
  transport.mode = 'suppressing'

  t.like((await deliver())[0], { outcome: 'failed' })

  t.like((await store.stepUps.load(id))?.issuance, { status: 'failed', reason: 'refused' })
  await t.throwsAsync(issue(await open()), { instanceOf: UserUnreachable })
  t.like(
    store.events.find(({ type }) => type === 'address-suppressed'),
    { reason: 'refused', actor: 'service' },
  )
})

test('a mail that is refused for what it is holds nothing against its recipient', async (t) => {
  const { open, issue, deliver, transport } = await scenario()
  await issue(await open())
  transport.mode = 'refusing'
  await deliver()

  await t.notThrowsAsync(issue(await open()))
})

test('a suppression that could not be stored leaves the mail to the end of its lease', async (t) => {
  const { open, issue, deliver, transport, store, clock } = await scenario()
  const id = await open()
  await issue(id)
  transport.mode = 'suppressing'
  const load = store.mailOutcomes.load
  store.mailOutcomes.load = () => Promise.reject(new TypeError('a defect'))
  t.like((await deliver())[0], { outcome: 'unrecorded' })

  store.mailOutcomes.load = load
  clock.pass(30)
  t.like((await deliver())[0], { outcome: 'failed', attempt: 2 })
  await t.throwsAsync(issue(await open()), { instanceOf: UserUnreachable })
})

test('an address that is erased while a refusal is under way is not written down again', async (t) => {
  const { open, issue, deliver, transport, store, eraseUser } = await scenario()
  const id = await open()
  await issue(id)
  transport.mode = 'suppressing'
  const send = transport.send.bind(transport)
  transport.send = async (message) => {
    await eraseUser.execute({ userId: 'alice', clientId: 'crm', origin })
    return send(message)
  }

  await deliver()

  t.not((await store.stepUps.load(id))?.standing.suppression?.address, 'alice@example.com')
})
