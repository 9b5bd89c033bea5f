import { randomUUID } from 'node:crypto'
import test from 'ava'
import { SingleProcessExecutions } from '../../packages/kit/src/single-process-executions.ts'
import {
  executionStoreContract,
  REMEMBERED_FOR_IN_MS,
  UNDER_WAY_FOR_IN_MS,
} from '../contracts/execution-store.contract.ts'

const NOON = Date.parse('2030-01-01T12:00:00.000Z')
const RESPONSE = { status: 202, headers: {}, body: '' }

executionStoreContract('SingleProcessExecutions', async () => {
  let passed = 0
  const store = new SingleProcessExecutions({
    now: () => passed,
    rememberForInMs: REMEMBERED_FOR_IN_MS,
    underWayForInMs: UNDER_WAY_FOR_IN_MS,
  })
  return {
    process: () => store,
    now: () => new Date(NOON + passed),
    later: async (inMs, at) => {
      passed += inMs
      return at
    },
  }
})

/** One approval, at a service whose clock says what it likes. */
function approval(consumedAt = new Date(NOON)) {
  const challengeId = randomUUID()
  let isConsumed = false
  return {
    challengeId,
    async call(store: SingleProcessExecutions) {
      await store.beforeConsumption(challengeId, async () => isConsumed)
      isConsumed = true
      return (await store.begin({ challengeId, digest: 'd', consumedAt })).state
    },
  }
}

for (const [clock, consumedAt] of [
  ['behind', new Date(Date.now() + 3_600_000)],
  ['ahead of', new Date(Date.now() - 3_600_000)],
  ['that of', new Date()],
] as const) {
  test(`after a restart, by a clock ${clock} the service's, what may have run does not run again`, async (t) => {
    const { challengeId, call } = approval(consumedAt)
    const before = new SingleProcessExecutions()
    t.is(await call(before), 'run')
    await before.finish(challengeId, RESPONSE)

    t.is(await call(new SingleProcessExecutions()), 'not-known')
  })

  test(`after a restart, by a clock ${clock} the service's, what was not consumed before runs once`, async (t) => {
    const { call } = approval(consumedAt)
    const restarted = new SingleProcessExecutions()

    t.deepEqual([await call(restarted), await call(restarted)], ['run', 'under-way'])
  })
}

test('a call whose consumption got no answer runs at its repeat in the same process', async (t) => {
  const { challengeId, call } = approval()
  const executions = new SingleProcessExecutions()
  await executions.beforeConsumption(challengeId, async () => false)

  t.is(await call(executions), 'run')
})

test('two calls that the service tells of no consumption get one run', async (t) => {
  const { challengeId } = approval()
  const executions = new SingleProcessExecutions()
  const answered = Promise.withResolvers<boolean>()
  const slow = executions.beforeConsumption(challengeId, () => answered.promise)
  await executions.beforeConsumption(challengeId, async () => false)
  const begin = async () =>
    (await executions.begin({ challengeId, digest: 'd', consumedAt: new Date(NOON) })).state
  t.is(await begin(), 'run')
  await executions.finish(challengeId, RESPONSE)

  answered.resolve(false)
  await slow

  t.is(await begin(), 'finished')
})

test('what the service has not been asked about does not run', async (t) => {
  const { challengeId } = approval()

  const { state } = await new SingleProcessExecutions().begin({
    challengeId,
    digest: 'd',
    consumedAt: new Date(),
  })

  t.is(state, 'not-known')
})

test('a service that cannot be asked fails the call, and the next one asks again', async (t) => {
  const { challengeId, call } = approval()
  const executions = new SingleProcessExecutions()

  await t.throwsAsync(
    executions.beforeConsumption(challengeId, () => Promise.reject(new Error('the service is away'))),
    { message: 'the service is away' },
  )

  t.is(await call(executions), 'run')
})
