import test from 'ava'
import { readWarnings } from '../../src/config/config-warnings.ts'
import { POLICY_BOUNDS } from '../../src/config/policy-bounds.ts'
import { ConfigError, readConfig } from '../../src/config/read-config.ts'
import { secondsAfter } from '../../src/domain/instant.ts'
import { SubjectStanding } from '../../src/domain/subject-standing.ts'
import { NOON } from '../domain/examples.ts'
import { production } from '../journeys/command.ts'

const ENV = production('postgresql://127.0.0.1/c')

const refusals = (env: Readonly<Record<string, string>>) => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
const warnedOf = (env: Readonly<Record<string, string>>) =>
  readWarnings(env).map(({ variable, found, remedy }) => `${variable} ${found}. ${remedy}`)

test('the defaults are within every bound', (t) => {
  t.deepEqual(refusals(ENV), [])
  t.deepEqual(warnedOf(ENV), [])
})

for (const { variable, refused, warned, source } of POLICY_BOUNDS) {
  const isLeast = 'below' in refused
  const bound = isLeast ? refused.below : refused.above
  const beyond = isLeast ? -1 : 1

  test(`${variable} ${bound} starts, and ${bound + beyond} does not`, (t) => {
    t.deepEqual(refusals({ ...ENV, [variable]: String(bound) }), [])

    const [problem, ...others] = refusals({ ...ENV, [variable]: String(bound + beyond) })

    t.deepEqual(others, [])
    t.true(problem?.startsWith(`${variable} must be `), problem)
  })

  test(`${variable} has its warning beyond ${warned}, with the clause that it is from`, (t) => {
    t.deepEqual(warnedOf({ ...ENV, [variable]: String(warned) }), [])
    if (warned === bound) return

    const [warning, ...others] = warnedOf({ ...ENV, [variable]: String(warned + beyond) })

    t.deepEqual(others, [])
    t.true(warning?.startsWith(`${variable} is ${warned + beyond}: `), warning)
    t.true(warning?.includes(source))
  })
}

test('development may have shorter times than production, so that nobody waits in a test', (t) => {
  const env = { OTP_RESEND_COOLDOWN_SECONDS: '0', SUBJECT_LOCK_SECONDS: '1', OTP_LIFETIME_SECONDS: '1' }

  t.deepEqual(refusals(env), [])
  t.deepEqual(warnedOf(env), [])
  t.is(refusals({ ...ENV, ...env }).length, 3)
})

test('no format of a variable is stricter than its bound, so that the table says all', (t) => {
  for (const name of [
    'OTP_MAX_ATTEMPTS',
    'SUBJECT_MAX_FAILURES',
    'OTP_MAX_ISSUANCES',
    'SUBJECT_MAX_ISSUANCES',
  ]) {
    t.true(
      POLICY_BOUNDS.some(({ variable }) => variable === name),
      name,
    )
    // A limit that is none, or that is left out, is not a way to have no limit.
    for (const unlimited of ['0', '-1', 'Infinity', 'none', '1e9']) {
      t.is(refusals({ [name]: unlimited }).length, 1, `${name} ${unlimited}`)
    }
  }
})

test('with the defaults, a hundred wrong codes in a row take about thirteen days', (t) => {
  const { policy } = readConfig({})
  let standing = SubjectStanding.blank('alice')
  let now = NOON
  for (let guess = 0; guess < 100; guess++) {
    // An attacker guesses again the moment that a lock ends.
    now = standing.lockedUntil && standing.lockedUntil > now ? standing.lockedUntil : now
    standing = SubjectStanding.fail(standing, policy, now)
  }

  const days = (now.getTime() - NOON.getTime()) / 86_400_000
  t.is(Math.round(days), 13)
  t.is(standing.consecutiveLocks, 20)
  t.true(SubjectStanding.isLocked(standing, secondsAfter(now, 86_399)))
})
