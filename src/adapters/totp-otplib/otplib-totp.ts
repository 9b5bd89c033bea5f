import { createSecretKey, hash, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type Totp, UnknownOtpKey } from '../../application/ports/totp.ts'
import type { Challenge } from '../../domain/challenge.ts'
import type { OtpIssuance } from '../../domain/otp-issuance.ts'
import { totpValue } from './totp-value.ts'

/** A secret that seeds are derived from: at least 32 bytes from a CSPRNG. */
export interface OtpKey {
  readonly id: string
  readonly bytes: Uint8Array
}

const SEED_BYTES = 32
/** Change the label whenever the bound values or their order change: codes in flight must not change their meaning. */
const LABEL = 'countersign/otp/1'

/**
 * RFC 6238 with T0 = the time of issue and X = the code's lifetime. Only step 0 exists, so a code is one HOTP value, and
 * the domain decides by dates when it ends. The seed is HKDF-SHA-256 (RFC 5869) over a key from the configuration.
 * Nobody stores the seed, so a copy of the database yields no code.
 */
export class OtplibTotp implements Totp {
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #activeKeyId: string
  readonly #digits: 6 | 7 | 8
  readonly #onMissingKey: () => void

  /**
   * @param keys the first one is active. The others still verify.
   * @param onMissingKey called each time a code cannot be derived, which stops a user. Must not throw.
   */
  constructor(keys: readonly [OtpKey, ...OtpKey[]], digits: 6 | 7 | 8, onMissingKey: () => void = () => {}) {
    this.#keys = new Map(keys.map(({ id, bytes }) => [id, createSecretKey(bytes)]))
    this.#activeKeyId = keys[0].id
    this.#digits = digits
    this.#onMissingKey = onMissingKey
  }

  activeKeyId(): string {
    return this.#activeKeyId
  }

  code(issuance: OtpIssuance, challenge: Challenge): string {
    const t0 = Math.floor(issuance.issuedAt.getTime() / 1000)
    const period = Math.ceil((issuance.expiresAt.getTime() - issuance.issuedAt.getTime()) / 1000)
    return totpValue(this.#seed(issuance, challenge), { t0, period, at: t0 }, this.#digits)
  }

  matches(candidate: string, issuance: OtpIssuance, challenge: Challenge): boolean {
    const expected = Buffer.from(this.code(issuance, challenge))
    const given = Buffer.from(candidate)
    return given.length === expected.length && timingSafeEqual(given, expected)
  }

  #seed(issuance: OtpIssuance, challenge: Challenge): Uint8Array {
    const key = this.#keys.get(issuance.keyId)
    if (!key) {
      this.#onMissingKey()
      throw new UnknownOtpKey(issuance.keyId)
    }
    // Hash first: Node accepts at most 1,024 bytes of HKDF info, and a summary may be longer.
    const info = hash('sha256', context(issuance, challenge), 'buffer')
    return new Uint8Array(hkdfSync('sha256', key, issuance.id, info, SEED_BYTES))
  }
}

/** Everything that a code is bound to. JSON of a fixed list of strings is unambiguous: no value can run into the next. */
function context(issuance: OtpIssuance, { id, subjectUserId, clientId, operation }: Challenge): string {
  return JSON.stringify([
    LABEL,
    id,
    clientId,
    subjectUserId,
    operation.type,
    operation.digest,
    operation.summary.map(({ label, value }) => [label, value]),
    issuance.recipient,
    issuance.number,
    issuance.issuedAt.toISOString(),
    issuance.expiresAt.toISOString(),
  ])
}
