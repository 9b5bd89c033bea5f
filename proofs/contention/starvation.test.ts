import test from 'ava'
import { createTestDatabase } from '../../test/support/database.ts'
import { starve } from './starvation.ts'

test('while one account is attacked, other users are answered, and it has no more live challenges than it may', async (t) => {
  const { quiet, attacked, attack, live } = await starve({
    databaseUrl: (await createTestDatabase()).url,
    windows: 1,
    secondsPerWindow: 3,
    leftBehind: 4000,
    callers: 32,
  })

  t.deepEqual([...quiet.statuses.keys()], [201])
  t.deepEqual([...attacked.statuses.keys()], [201])
  t.is(live, 20)
  t.true((attack.get(429) ?? 0) > 0)
  t.true((attack.get(200) ?? 0) > 0, 'its address changed')
})
