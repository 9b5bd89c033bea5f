import { generateSync, type HashAlgorithm } from 'otplib'

/** The parameters of RFC 6238 §4.1 and §4.2. All times are whole seconds since the Unix epoch. */
export interface TotpMoment {
  /** T0, from which steps are counted. */
  readonly t0: number
  /** X, the length of a step. */
  readonly period: number
  /** The time whose step gives the moving factor. */
  readonly at: number
}

/** The TOTP value of a seed at a moment: HOTP (RFC 4226 §5.3) with the number of the step as moving factor. */
export function totpValue(
  seed: Uint8Array,
  { t0, period, at }: TotpMoment,
  digits: 6 | 7 | 8,
  algorithm: HashAlgorithm = 'sha256',
): string {
  return generateSync({ secret: seed, algorithm, digits, period, t0, epoch: at })
}
