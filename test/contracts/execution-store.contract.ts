import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import type { Beginning, ExecutionStore, StoredResponse } from '../../packages/kit/src/execution-store.ts'

/** What the stores of the contract are set to. */
export const REMEMBERED_FOR_IN_MS = 3_600_000
export const UNDER_WAY_FOR_IN_MS = 60_000

/** A store that is empty, as processes that share it see it. */
export interface SharedStore {
  /** The store as one process has it. Each call is another process, if the store is for several. */
  process(): ExecutionStore
  /** When an approval was consumed that is consumed now. */
  now(): Date
  /** Lets time pass, and has the store clean up. Returns the time of an approval that was consumed at `at` before. */
  later(inMs: number, at: Date): Promise<Date>
}

const RESPONSE: StoredResponse = {
  status: 202,
  headers: {
    'Content-Type': 'application/json; charset=utf-8',
    Link: ['</a>', '</b>'],
    'X-Name': 'Łukasz "A"',
  },
  body: Buffer.from('{"transfer":"über \0 alles"}').toString('base64'),
}

/** What `requireStepUp` relies on, wherever the runs are kept. */
export function executionStoreContract(
  adapter: string,
  create: (t: ExecutionContext) => Promise<SharedStore>,
): void {
  /** One approval, as any process sees it that gets the app's call. */
  async function approved(t: ExecutionContext) {
    const shared = await create(t)
    return { shared, ...approvalOn(shared) }
  }

  function approvalOn(shared: SharedStore) {
    const challengeId = randomUUID()
    const digest = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'
    let consumedAt: Date | undefined
    return {
      challengeId,
      /** A call of the app: the service is asked before, and the approval is consumed. */
      async call(store = shared.process()): Promise<Beginning> {
        await store.beforeConsumption?.(challengeId, async () => consumedAt !== undefined)
        consumedAt ??= shared.now()
        return store.begin({ challengeId, digest, consumedAt })
      },
      async later(inMs: number): Promise<void> {
        consumedAt = await shared.later(inMs, consumedAt ?? shared.now())
      },
    }
  }

  const states = (beginnings: readonly Beginning[]) => beginnings.map(({ state }) => state).toSorted()

  test(`${adapter}: a run begins once, and is under way for everybody else`, async (t) => {
    const { call } = await approved(t)

    t.like([await call(), await call()], [{ state: 'run' }, { state: 'under-way' }])
  })

  test(`${adapter}: of calls at the same time, at several processes, one begins the run`, async (t) => {
    const { shared, call } = await approved(t)
    const processes = [shared.process(), shared.process(), shared.process()]

    const burst = await Promise.all(Array.from({ length: 30 }, (_, n) => call(processes[n % 3])))

    t.deepEqual(states(burst), ['run', ...Array(29).fill('under-way')])
  })

  test(`${adapter}: approvals do not get in each other's way`, async (t) => {
    const { shared, call } = await approved(t)
    const other = approvalOn(shared)
    await call()
    await shared.process().finish(other.challengeId, RESPONSE)

    t.like(await other.call(), { state: 'run' })
    t.deepEqual(await call(), { state: 'under-way' })
  })

  test(`${adapter}: a finished run has its answer for everybody, to the last byte`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const runner = shared.process()
    await call(runner)

    await runner.finish(challengeId, RESPONSE)

    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
    t.deepEqual(await call(runner), { state: 'finished', response: RESPONSE })
  })

  test(`${adapter}: an answer stays, whatever is said of the run later`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const store = shared.process()
    await call(store)
    await store.finish(challengeId, RESPONSE)

    await store.finish(challengeId, { ...RESPONSE, status: 201 })
    await store.markNotKnown(challengeId)
    await store.abandon(challengeId)

    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
  })

  test(`${adapter}: a run with an outcome that nobody knows does not begin again, now or later`, async (t) => {
    const { shared, challengeId, call, later } = await approved(t)
    await call()

    await shared.process().markNotKnown(challengeId)

    t.deepEqual(await call(), { state: 'not-known' })
    await later(REMEMBERED_FOR_IN_MS - 60_000)
    t.deepEqual(await call(), { state: 'not-known' })
    await later(61_000)
    t.deepEqual(await call(), { state: 'not-known' })
  })

  test(`${adapter}: whoever finds out what a run did can finish it, or let it begin again`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const other = approvalOn(shared)
    const store = shared.process()
    for (const each of [call, other.call]) await each(store)
    for (const id of [challengeId, other.challengeId]) await store.markNotKnown(id)

    await store.finish(challengeId, RESPONSE)
    await store.abandon(other.challengeId)

    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
    t.like(await other.call(), { state: 'run' })
    t.deepEqual(await other.call(), { state: 'under-way' })
  })

  test(`${adapter}: an abandoned run begins again, for one of those who call at the same time`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const store = shared.process()
    await call(store)

    await store.abandon(challengeId)
    const burst = await Promise.all(Array.from({ length: 10 }, () => call()))

    t.deepEqual(states(burst), ['run', ...Array(9).fill('under-way')])
  })

  test(`${adapter}: the late end of an abandoned run changes nothing of the one that began after it`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const [store, operator] = [shared.process(), shared.process()]
    const older = await call(store)
    await operator.abandon(challengeId)
    const newer = await call(store)
    t.true(older.state === 'run' && newer.state === 'run')
    const runOf = (beginning: Beginning) => (beginning.state === 'run' ? beginning.run : undefined)

    await store.abandon(challengeId, runOf(older))
    await store.markNotKnown(challengeId, runOf(older))
    await store.finish(challengeId, { ...RESPONSE, status: 201 }, runOf(older))

    t.deepEqual(await call(), { state: 'under-way' })
    await store.finish(challengeId, RESPONSE, runOf(newer))
    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
  })

  test(`${adapter}: calls that meet the end of a run never get a second one`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const store = shared.process()
    await call(store)

    const [, ...burst] = await Promise.all([
      store.markNotKnown(challengeId),
      ...Array.from({ length: 10 }, () => call()),
    ])

    t.true(burst.every(({ state }) => state === 'under-way' || state === 'not-known'))
  })

  test(`${adapter}: a run that does not end is under way for a while, and then its outcome is not known`, async (t) => {
    const { call, later } = await approved(t)
    await call()

    await later(UNDER_WAY_FOR_IN_MS - 5000)
    t.deepEqual(await call(), { state: 'under-way' })
    await later(6000)
    t.deepEqual(await call(), { state: 'not-known' })
  })

  test(`${adapter}: a run that ends late still has its answer`, async (t) => {
    const { shared, challengeId, call, later } = await approved(t)
    const store = shared.process()
    await call(store)
    await later(UNDER_WAY_FOR_IN_MS + 1000)

    await store.finish(challengeId, RESPONSE)

    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
  })

  test(`${adapter}: a run that is forgotten does not begin again, and not before is it forgotten`, async (t) => {
    const { shared, challengeId, call, later } = await approved(t)
    const store = shared.process()
    await call(store)
    await store.finish(challengeId, RESPONSE)

    await later(REMEMBERED_FOR_IN_MS - 60_000)
    t.deepEqual(await call(), { state: 'finished', response: RESPONSE })
    await later(61_000)
    t.deepEqual(await call(), { state: 'not-known' })
    t.like(await approvalOn(shared).call(), { state: 'run' })
  })

  test(`${adapter}: what nobody has begun is neither finished, abandoned nor in doubt`, async (t) => {
    const { shared, challengeId, call } = await approved(t)
    const store = shared.process()

    await store.finish(challengeId, RESPONSE)
    await store.markNotKnown(challengeId)
    await store.abandon(challengeId)

    t.like(await call(), { state: 'run' })
  })
}
