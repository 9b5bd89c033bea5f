import { type Totp, UnknownOtpKey } from '../../application/ports/totp.ts'
import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import type { Metrics } from './metrics.ts'

/** Counts codes that cannot be derived any more, each of which is somebody who cannot go on. */
export class MeasuredTotp implements Totp {
  readonly #totp: Totp
  readonly #metrics: Metrics

  constructor(totp: Totp, metrics: Metrics) {
    this.#totp = totp
    this.#metrics = metrics
  }

  activeKeyId(): string {
    return this.#totp.activeKeyId()
  }

  code(issuance: OtpIssuance, challenge: Challenge): string {
    return this.#counted(() => this.#totp.code(issuance, challenge))
  }

  matches(candidate: string, issuance: OtpIssuance, challenge: Challenge): boolean {
    return this.#counted(() => this.#totp.matches(candidate, issuance, challenge))
  }

  #counted<Result>(derive: () => Result): Result {
    try {
      return derive()
    } catch (error) {
      if (error instanceof UnknownOtpKey) this.#metrics.otpKeyMisses.inc()
      throw error
    }
  }
}
