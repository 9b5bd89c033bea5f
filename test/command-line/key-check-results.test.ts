import test from 'ava'
import { keyCheckResults } from '../../src/command-line/key-check-results.ts'
import { NOON } from '../domain/examples.ts'

const keysOf = (...ids: [string, ...string[]]) => {
  const [first, ...rest] = ids.map((id) => ({ id, bytes: new Uint8Array(32) }))
  return [first!, ...rest] as const
}
const found = (...ids: [string, ...string[]]) =>
  keyCheckResults({ otpKeys: keysOf(...ids), signingKeys: undefined }, NOON)[0]!

test('the age of the active key is that of the date in its kid', (t) => {
  t.like(found('otp-2029-12-31-a1b2', 'old'), {
    level: 'ok',
    found: 'otp-2029-12-31-a1b2 is active, 1 days old; old still verify',
  })
  t.is(found('k1').found, 'k1 is active')
  // No date is 12345-01-01, nor the 32nd of any month.
  t.is(found('12345-01-01').found, '12345-01-01 is active')
  t.is(found('k-2029-12-32').found, 'k-2029-12-32 is active')
})

test('a key older than a year is to be rotated, and the age of those behind it does not matter', (t) => {
  t.is(found('otp-2029-01-01').level, 'ok')
  t.like(found('otp-2028-12-31'), {
    level: 'warning',
    remedy: 'Rotate OTP_KEYS: "countersign keys generate" explains how',
  })
  t.is(found('otp-2029-12-31', 'otp-2020-01-01').level, 'ok')
})

test('keys that nobody configured are those of development', (t) => {
  t.deepEqual(
    keyCheckResults({ otpKeys: undefined, signingKeys: undefined }, NOON).map(({ name, level }) => [
      name,
      level,
    ]),
    [
      ['otp-keys', 'ok'],
      ['signing-keys', 'ok'],
    ],
  )
})
