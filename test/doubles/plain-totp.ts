import type { Totp } from '../../src/application/ports/totp.ts'
import type { Challenge } from '../../src/domain/challenge.ts'
import type { OtpIssuance } from '../../src/domain/otp-issuance.ts'

/** Predictable codes: 000001 for the first issuance of a challenge, 000002 for the second; or always `code`. */
export class PlainTotp implements Totp {
  readonly #code: string | undefined

  constructor(code?: string) {
    this.#code = code
  }

  activeKeyId() {
    return 'k1'
  }

  code(issuance: OtpIssuance, _challenge: Challenge) {
    return this.#code ?? String(issuance.number).padStart(6, '0')
  }

  matches(candidate: string, issuance: OtpIssuance, challenge: Challenge) {
    return candidate === this.code(issuance, challenge)
  }
}
