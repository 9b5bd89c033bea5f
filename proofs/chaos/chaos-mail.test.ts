import test from 'ava'
import { createTestDatabase } from '../../test/support/database.ts'
import { killDeliveries } from './killed-deliveries.ts'

/** With this seed, two of the first three kills happen while a mail is being sent, and one at another time. */
const PLAN = { rounds: 3, seed: 1 }

test('killed at any moment, the service loses no mail that it promised, and repeats one only after a kill, with the same code', async (t) => {
  const { url: databaseUrl } = await createTestDatabase()

  const outcome = await killDeliveries({ ...PLAN, databaseUrl, endLeases: true })

  t.deepEqual(outcome.violations, [])
  t.true(outcome.killsWhileSending > 0, 'a kill came between a hand-over and its record')
  t.true(outcome.duplicates > 0, 'which the mail system saw as a duplicate')
  t.is(outcome.verified, outcome.stored)
})
