import { randomUUID } from 'node:crypto'
import test from 'ava'
import { pino } from 'pino'
import { LoggedStepUps } from '../../src/adapters/log-pino/logged-step-ups.ts'
import { Challenge } from '../../src/domain/challenge.ts'
import { StepUp } from '../../src/domain/step-up.ts'
import { stepUpsContract } from '../contracts/step-ups.contract.ts'
import { issued, opened, PROVENANCE } from '../contracts/stores.ts'
import { NOON, noticeDemand, POLICY, TRANSFER } from '../domain/examples.ts'
import { InMemoryStore } from '../doubles/in-memory-store.ts'

/** The storage ports over a store in memory, its decisions logged. */
function logged() {
  const store = new InMemoryStore()
  const lines: Record<string, unknown>[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { lines, stepUps: new LoggedStepUps(store, logger), registry: store, outbox: store, trail: store }
}

stepUpsContract('logged', async () => logged())

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
