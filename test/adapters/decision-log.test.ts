import { randomUUID } from 'node:crypto'
import test from 'ava'
import { pino } from 'pino'
import { decisionLog } from '../../src/adapters/log-pino/decision-log.ts'
import { whereaboutsOf } from '../../src/application/decide-and-save.ts'
import { recordMailEvent } from '../../src/application/mail/record-mail-event.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { EmailAddress } from '../../src/domain/email-address.ts'
import { LockNotice } from '../../src/domain/lock-notice.ts'
import { OtpIssuance } from '../../src/domain/otp-issuance.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { issued, locked, opened, PROVENANCE } from '../contracts/stores.ts'
import { ALICE, afterNoon, NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import { inMemoryStores } from '../doubles/in-memory/in-memory-stores.ts'

/** The storage ports over a store in memory, its decisions logged. */
function logged() {
  const lines: Record<string, unknown>[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { lines, ...inMemoryStores(decisionLog(logger)) }
}

test('each stored decision is a line that names its events, the challenge, and who caused it', async (t) => {
  const stores = logged()
  const { lines, stepUps } = stores
  const { id, subjectUserId: subject } = await opened(stores)
  await issued(stores, id)
  const [rejected] = StepUp.verifyOtp((await stepUps.load(id))!, () => false, noticeDemand(), POLICY, NOON)
  await stepUps.save(rejected, PROVENANCE)
  const { challenge, standing } = (await stepUps.load(id))!
  const [cancelled, event] = Challenge.cancel(challenge, 'by-subject', NOON)
  await stepUps.save({ challenge: cancelled, standing, events: [event] }, { actor: 'service' })

  const line = (events: string[], status: string, attemptsRemaining: number) => ({
    ...{ level: 30, msg: 'decision', requestId: 'r-1', caller: 'user:alice', subject, challengeId: id },
    ...{ events, status, attemptsRemaining },
  })
  const { requestId: _, ...ofNoRequest } = line(['challenge-cancelled (by-subject)'], 'cancelled', 4)
  t.deepEqual(
    lines.map(({ time: _, pid: __, hostname: ___, ...rest }) => rest),
    [
      line(['challenge-opened'], 'pending', 5),
      line(['otp-issued'], 'pending', 5),
      line(['otp-rejected'], 'pending', 4),
      { ...ofNoRequest, caller: 'service' },
    ],
  )
})

test('a forgery is an error besides the decision that ends its challenge, and for a mail on its own', async (t) => {
  const stores = logged()
  const { lines, stepUps, intruder } = stores
  const { id, subjectUserId: subject } = await opened(stores)
  const { id: issuanceId } = await issued(stores, id)
  await intruder.redirect(issuanceId, EmailAddress.parse('mallory@example.com'))
  lines.length = 0

  const [delivery] = await stores.outbox.claim(1, NOON, afterNoon(30))
  const outcome = OtpIssuance.fail(delivery!.issuance, delivery!.forgery()!, NOON)
  await stores.outbox.record(delivery!.issuance, ...outcome)
  const stepUp = (await stepUps.load(id))!
  const decision = StepUp.cancelIfUnsound(stepUp, whereaboutsOf(stepUp), NOON)!
  await stepUps.save(decision, { actor: 'service' })

  const forged = {
    ...{ level: 50, msg: 'forged row', reason: 'broken-seal', caller: 'service' },
    ...{ challengeId: id, subject },
  }
  t.like(lines, [
    { ...forged, event: 'otp-failed' },
    { ...forged, event: 'challenge-cancelled' },
    { level: 30, msg: 'decision', events: ['challenge-cancelled (broken-seal)'] },
  ])
  t.is(lines.length, 3)
})

test('a decision that lost its race is no line, and neither is a challenge that was opened before', async (t) => {
  const stores = logged()
  const { lines, stepUps } = stores
  const open = () => {
    const demand = { id: randomUUID(), clientId: 'payments', subjectUserId: 'alice', operation: TRANSFER }
    return stepUps.open(...Challenge.open(demand, POLICY, NOON), { key: 'k', fingerprint: 'f' }, PROVENANCE)
  }
  const { challenge } = await open()
  const stale = (await stepUps.load(challenge.id))!
  await issued(stores, challenge.id)
  lines.length = 0

  t.like(await open(), { created: false })
  const [decision] = StepUp.verifyOtp(stale, () => false, noticeDemand(), POLICY, NOON)
  t.false(await stepUps.save(decision, PROVENANCE))

  t.deepEqual(lines, [])
})

test('what becomes of a mail or of an entry is no line, for it is no decision about a challenge', async (t) => {
  const stores = logged()
  const { id, subjectUserId: userId } = await opened(stores)
  const { id: issuanceId } = await issued(stores, id)
  await locked(stores, id)
  stores.lines.length = 0
  const [otp] = await stores.outbox.claim(1, NOON, afterNoon(30))
  const [warning] = await stores.lockNotices.claim(1, NOON, afterNoon(30))

  await stores.outbox.record(otp!.issuance, ...OtpIssuance.markSent(otp!.issuance, 'm', NOON))
  await stores.lockNotices.record(warning!.notice, ...LockNotice.markSent(warning!.notice, 'm', NOON))
  const bounce = { outcome: 'bounced', kind: 'hard-bounce', at: NOON } as const
  await recordMailEvent(stores.mailOutcomes, issuanceId, bounce, PROVENANCE)
  await stores.registry.put({ userId, email: ALICE }, NOON, PROVENANCE)

  t.deepEqual(stores.lines, [])
})
