import test from 'ava'
import pg from 'pg'
import { createTestDatabase } from '../support/database.ts'
import { groupWatch } from '../support/group-watch.ts'
import { brokenPromises, type Promised, walk } from './promised-walks.ts'
import { createDataDir, startProcess } from './service-process.ts'

const ROUNDS = 6
const JOURNEYS_A_ROUND = 12

test('a process killed at any moment loses no success that it answered, and leaves no approval that nobody gave', async (t) => {
  const database = await createTestDatabase()
  const dataDir = await createDataDir()
  const db = new pg.Pool({ connectionString: database.url })
  t.teardown(async () => {
    await db.end()
    await dataDir.remove()
  })
  const promised: Promised = new Map()
  let shared = 0

  for (let round = 0; round < ROUNDS; round++) {
    const watch = await groupWatch()
    const service = await startProcess({
      DATABASE_URL: database.url,
      DATA_DIR: dataDir.path,
      LOG_LEVEL: 'warn',
      ...watch.env,
    })
    // The moment of the kill is the random variable of this test: after so many steps that were answered.
    let stepsToLive = 1 + Math.floor(Math.random() * 3 * JOURNEYS_A_ROUND)
    const struck = Promise.withResolvers<void>()
    const step = () => {
      stepsToLive--
      if (stepsToLive === 0) struck.resolve()
    }
    // Journeys that the kill cuts off reject, which is what they are for.
    const walks = Promise.allSettled(
      Array.from({ length: JOURNEYS_A_ROUND }, () => walk(service.url, promised, step)),
    )
    await struck.promise
    shared += await watch.look()
    await service.end('SIGKILL')
    await walks
  }

  t.deepEqual(await brokenPromises(db, promised), [])
  t.true(
    [...promised.values()].some((steps) => !steps.has('consumed')),
    'some journeys were cut off',
  )
  t.true(shared > 0, 'some requests shared a statement')
})
