import test from 'ava'
import { createTestDatabase } from '../../test/support/database.ts'
import { contend } from './contention.ts'

test('three processes that decide about the same few subjects never deadlock, and each decision is stored once', async (t) => {
  const { url: databaseUrl } = await createTestDatabase()

  const { violations, deadlocks, decisions, lostRaces, groups } = await contend({
    databaseUrl,
    processes: 3,
    callers: 32,
    decisions: 3000,
    subjects: 50,
  })

  t.deepEqual(violations, [])
  t.is(deadlocks, 0)
  t.true(decisions >= 3000)
  t.true(lostRaces > 0, 'the processes got in the way of each other')
  for (const name of ['step-ups.load', 'step-ups.save', 'step-ups.open']) {
    t.true(groups[name]!.ofSeveral > 0, `calls of ${name} shared a statement`)
  }
})
