import type { Environment } from './environment.ts'
import { type Keys, keys } from './formats.ts'

/** Reads keys of any length: their own variables check it. */
const ANY_KEYS = keys(() => true, '')

/**
 * Refuses one key for two purposes (NIST SP 800-57 part 1, 5.2). Somebody who learned the key of one purpose could otherwise do the other,
 * and a rotation would have to change both at once.
 */
export function sharedKeys(env: Environment): readonly string[] {
  const [otpKeys, signingKeys] = [keysOf(env.OTP_KEYS), keysOf(env.SIGNING_KEYS)]
  const shared = otpKeys.filter(({ bytes }) =>
    signingKeys.some((other) => Buffer.compare(bytes, other.bytes) === 0),
  )
  return shared.map(
    ({ id }) =>
      `OTP_KEYS and SIGNING_KEYS share the key ${id}: make a key for each purpose, countersign keys generate`,
  )
}

function keysOf(text: string | undefined): readonly Keys[number][] {
  return (text && ANY_KEYS.safeParse(text).data) || []
}
