import type { Totp } from '../../src/application/ports/totp.ts'
import type { Challenge } from '../../src/domain/challenge.ts'
import type { OtpIssuance } from '../../src/domain/otp-issuance.ts'

/** Predictable codes: 000001 for the first issuance of a challenge, 000002 for the second. */
export class PlainTotp implements Totp {
  activeKeyId() {
    return 'k1'
  }

  code(issuance: OtpIssuance, _challenge: Challenge) {
    return String(issuance.number).padStart(6, '0')
  }

  matches(candidate: string, issuance: OtpIssuance, challenge: Challenge) {
    return candidate === this.code(issuance, challenge)
  }
}
