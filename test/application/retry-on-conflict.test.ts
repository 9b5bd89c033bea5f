import test from 'ava'
import { ConcurrencyConflict, retryOnConflict } from '../../src/application/retry-on-conflict.ts'

/** Loses so many races, and then saves. */
function losing(races: number) {
  let attempts = 0
  return {
    attempts: () => attempts,
    attempt: async () => ({ saved: attempts >= races, result: ++attempts }),
  }
}

test('a decision that loses races is made anew until it is stored, and the stored one counts', async (t) => {
  const { attempt, attempts } = losing(24)

  t.is(await retryOnConflict('the challenge', attempt), 25)
  t.is(attempts(), 25)
})

test('a decision that loses twenty-five races is given up, and says of what', async (t) => {
  const { attempt, attempts } = losing(25)

  await t.throwsAsync(retryOnConflict('the challenge', attempt), {
    instanceOf: ConcurrencyConflict,
    message: 'Gave up on the challenge after losing 25 races',
  })
  t.is(attempts(), 25)
})

test('a decision on slow storage is given up once the time is over, and never before its first race', async (t) => {
  const lost = losing(2)
  const won = losing(0)

  await t.throwsAsync(retryOnConflict('the challenge', lost.attempt, 0), { instanceOf: ConcurrencyConflict })
  t.is(lost.attempts(), 1)
  t.is(await retryOnConflict('the challenge', won.attempt, 0), 1)
})

test('what an attempt throws ends it at once', async (t) => {
  await t.throwsAsync(
    retryOnConflict('the challenge', () => Promise.reject(new Error('away'))),
    { message: 'away' },
  )
})
