import test from 'ava'
import { Contention, untilSaved } from '../../src/application/until-saved.ts'

/** An attempt that loses its first races. */
function losing(races: number) {
  const counted = { attempts: 0 }
  const attempt = async () => {
    counted.attempts++
    return { saved: counted.attempts > races, result: counted.attempts }
  }
  return { attempt, counted }
}

test('an attempt that is saved is made once', async (t) => {
  const { attempt, counted } = losing(0)

  t.is(await untilSaved('a challenge', attempt), 1)
  t.is(counted.attempts, 1)
})

test('a lost race is run again, and the result is that of the attempt which was saved', async (t) => {
  t.is(await untilSaved('a challenge', losing(24).attempt), 25)
})

test('twenty-five lost races are given up, and say about what', async (t) => {
  const { attempt, counted } = losing(25)

  const error = await t.throwsAsync(untilSaved('challenge c-1', attempt), { instanceOf: Contention })

  t.is(counted.attempts, 25)
  t.true(error.message.includes('challenge c-1'))
})
