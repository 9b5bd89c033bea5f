import type { Keys } from '../config/formats.ts'
import type { Config } from '../config/read-config.ts'
import { CheckResult } from '../contracts/diagnostic-check.ts'

/** A backup or a former colleague may hold a copy of a key, so no key should stay valid for ever. */
const OLD_IN_DAYS = 365
const DAY_IN_MS = 86_400_000

/** Reports which keys are active and how old they are. The configuration has already checked their strength. */
export function keyCheckResults(
  { otpKeys, signingKeys }: Pick<Config, 'otpKeys' | 'signingKeys'>,
  now: Date,
): CheckResult[] {
  return [
    keysResult('otp-keys', 'OTP_KEYS', otpKeys, now),
    keysResult('signing-keys', 'SIGNING_KEYS', signingKeys, now),
  ]
}

function keysResult(name: string, variable: string, keys: Keys | undefined, now: Date): CheckResult {
  if (!keys) return CheckResult.ok(name, 'generated for development')

  const [active, ...others] = keys.map(({ id }) => id)
  const behind = others.length > 0 ? `; ${others.join(', ')} still verify` : ''
  const age = ageInDays(active!, now)
  const found = `${active} is active${age === undefined ? '' : `, ${age} days old`}${behind}`
  if (age !== undefined && age > OLD_IN_DAYS) {
    return CheckResult.warning(name, found, `Rotate ${variable}: "countersign keys generate" explains how`)
  }
  return CheckResult.ok(name, found)
}

/** Reads the date in the kid, as `countersign keys generate` writes it; undefined if it has none. */
function ageInDays(kid: string, now: Date): number | undefined {
  const date = /(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)/.exec(kid)?.[0]
  const madeAt = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(madeAt) ? undefined : Math.max(0, Math.floor((now.getTime() - madeAt) / DAY_IN_MS))
}
