import test from 'ava'
import { InMemoryExecutions } from '../../packages/kit/src/in-memory-executions.ts'

const NOON = Date.parse('2030-01-01T12:00:00.000Z')
const RESPONSE = { status: 202, headers: {}, body: '' }
const consumedAt = (millisecondsAfterNoon: number) => ({
  challengeId: 'c-1',
  digest: 'd',
  consumedAt: new Date(NOON + millisecondsAfterNoon),
})

test('an execution is begun once, and is finished for all who come later', async (t) => {
  const executions = new InMemoryExecutions({ now: () => NOON })

  const states = await Promise.all([1, 2, 3].map(() => executions.begin(consumedAt(0))))
  await executions.finish('c-1', RESPONSE)

  t.deepEqual(
    states.map(({ state }) => state),
    ['run', 'under-way', 'under-way'],
  )
  t.deepEqual(await executions.begin(consumedAt(0)), { state: 'finished', response: RESPONSE })
})

test('an abandoned execution can be begun again', async (t) => {
  const executions = new InMemoryExecutions({ now: () => NOON })
  await executions.begin(consumedAt(0))

  await executions.abandon('c-1')

  t.is((await executions.begin(consumedAt(0))).state, 'run')
})

test('what was consumed before the memory began is not known, and not a millisecond later', async (t) => {
  t.is((await new InMemoryExecutions({ now: () => NOON }).begin(consumedAt(-1))).state, 'not-known')
  t.is((await new InMemoryExecutions({ now: () => NOON }).begin(consumedAt(0))).state, 'run')
})

test('what is forgotten is not run again', async (t) => {
  let now = NOON
  const executions = new InMemoryExecutions({ now: () => now, rememberForInMs: 1000 })
  await executions.begin(consumedAt(0))
  await executions.finish('c-1', RESPONSE)

  now = NOON + 1000
  t.is((await executions.begin(consumedAt(0))).state, 'finished')
  now = NOON + 1001
  t.is((await executions.begin(consumedAt(0))).state, 'not-known')
})
