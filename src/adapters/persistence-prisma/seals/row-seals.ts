import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../application/ports/clock.ts'
import { UnknownOtpKey } from '../../../application/ports/totp.ts'
import { Challenge } from '../../../domain/challenge.ts'
import type { Forgery } from '../../../domain/domain-event.ts'
import type { OtpIssuance } from '../../../domain/otp-issuance.ts'
import type { StepUpDecision } from '../../../domain/step-up.ts'

interface SealKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** The columns that hold seals. Null in a row of a version that wrote none, and until there is something to seal. */
export interface SealColumns {
  readonly c_demand_seal: string | null
  readonly c_approval_seal: string | null
  readonly c_consumption_seal: string | null
  /** That of the newest issuance. */
  readonly i_seal: string | null
}

/** What a decision seals. Null leaves the seal of a row as it is. */
export interface DecisionSeals {
  readonly approval: string | null
  readonly consumption: string | null
  readonly issuance: string | null
}

/** For a store that writes no seals. A store that checks them refuses its rows. */
export const UNSEALED: DecisionSeals = { approval: null, consumption: null, issuance: null }

/** What the stores need of {@link RowSeals}. */
export interface Seals extends Pick<RowSeals, 'ofDecision' | 'forgeryIn' | 'forgeryInDemand'> {
  ofDemand(challenge: Challenge): string | null
}

/** Something that the service states about a row. JSON of a fixed list is unambiguous: no value can run into the next. */
type Facts = readonly [kind: string, ...facts: unknown[]]

/** Change the label whenever the facts or their order change. */
const LABEL = 'countersign/seal/1'
const SEAL = /^([A-Za-z0-9._-]{1,32}):[A-Za-z0-9_-]{43}$/

/**
 * Seals rows with HMAC-SHA-256, under a key that is not in the database: HKDF-SHA-256 (RFC 5869) derives it from an OTP key.
 * Somebody who writes to the database without that key can end a challenge, but cannot make the service take a row for its own.
 * A seal is `kid:mac`, so that keys can rotate.
 */
export class RowSeals {
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #activeKeyId: string
  readonly #clock: Clock
  readonly #unsealedUntil: Date | undefined
  readonly #onMissingKey: () => void

  /**
   * @param keys the first one seals. The others still verify.
   * @param unsealedUntil until when a row without a seal counts, because instances of a version without seals still run.
   * @param onMissingKey called each time a seal cannot be checked. Must not throw.
   */
  constructor(
    keys: readonly [SealKey, ...SealKey[]],
    clock: Clock,
    unsealedUntil?: Date,
    onMissingKey: () => void = () => {},
  ) {
    this.#keys = new Map(
      keys.map(({ id, bytes }) => [
        id,
        createSecretKey(Buffer.from(hkdfSync('sha256', bytes, '', LABEL, 32))),
      ]),
    )
    this.#activeKeyId = keys[0].id
    this.#clock = clock
    this.#unsealedUntil = unsealedUntil
    this.#onMissingKey = onMissingKey
  }

  ofDemand(challenge: Challenge): string {
    return this.#seal(demandOf(challenge), this.#activeKeyId)
  }

  /** Seals only what this decision brings about, and never again what an earlier one did. */
  ofDecision({ challenge, issued, verifiedBy, events }: StepUpDecision): DecisionSeals {
    const seal = (facts: Facts | undefined | false) => (facts ? this.#seal(facts, this.#activeKeyId) : null)
    return {
      issuance: seal(issued && issuanceOf(issued)),
      approval: seal(verifiedBy && approvalOf(challenge, verifiedBy)),
      consumption: seal(events.some(({ type }) => type === 'challenge-consumed') && consumptionOf(challenge)),
    }
  }

  /**
   * How the rows show that somebody else wrote them; undefined if they do not. Checks what the status of the challenge claims.
   * Nothing can come of an exhausted, cancelled or expired challenge, so it claims nothing.
   *
   * @throws {UnknownOtpKey} if the key of a live challenge's seal is not configured. That of a consumed challenge may be gone:
   *   the challenge can be read, but its approval is not given again.
   */
  forgeryIn(
    seals: SealColumns,
    challenge: Challenge,
    issuance: OtpIssuance | undefined,
  ): Forgery | undefined {
    const isConsumed = challenge.status === 'consumed'
    if (!isConsumed && !Challenge.isLive(challenge, this.#clock.now())) return undefined
    for (const [facts, seal] of claimsOf(seals, challenge, issuance)) {
      const forgery = this.#forgeryOf(facts, seal, isConsumed)
      if (forgery) return forgery
    }
    return undefined
  }

  /**
   * How the demand shows that somebody else wrote it, whatever the status of its challenge: the service signs it for each repeat
   * of its opening. A demand that cannot be checked, because its key is gone, is not signed either.
   */
  forgeryInDemand({ c_demand_seal }: Pick<SealColumns, 'c_demand_seal'>, challenge: Challenge) {
    return this.#forgeryOf(demandOf(challenge), c_demand_seal, true)
  }

  #forgeryOf(facts: Facts, seal: string | null, isConsumed: boolean): Forgery | undefined {
    if (seal === null) {
      const excused = this.#unsealedUntil !== undefined && this.#clock.now() < this.#unsealedUntil
      return excused ? undefined : 'unsealed'
    }
    const [, keyId] = SEAL.exec(seal) ?? []
    if (keyId === undefined) return 'broken-seal'
    if (isConsumed && !this.#keys.has(keyId)) return 'unsealed'
    return timingSafeEqual(Buffer.from(this.#seal(facts, keyId)), Buffer.from(seal))
      ? undefined
      : 'broken-seal'
  }

  #seal(facts: Facts, keyId: string): string {
    const key = this.#keys.get(keyId)
    if (!key) {
      this.#onMissingKey()
      throw new UnknownOtpKey(keyId)
    }
    return `${keyId}:${createHmac('sha256', key).update(JSON.stringify(facts)).digest('base64url')}`
  }
}

function* claimsOf(
  seals: SealColumns,
  challenge: Challenge,
  issuance: OtpIssuance | undefined,
): Generator<readonly [Facts, string | null]> {
  const { status } = challenge
  yield [demandOf(challenge), seals.c_demand_seal]
  if (status === 'pending' && issuance) yield [issuanceOf(issuance), seals.i_seal]
  if (status !== 'pending') yield [approvalOf(challenge, issuance), seals.c_approval_seal]
  if (status === 'consumed') yield [consumptionOf(challenge), seals.c_consumption_seal]
}

/** What the client asked for. */
function demandOf(challenge: Challenge): Facts {
  const { id, clientId, subjectUserId, operation, createdAt, expiresAt } = challenge
  return [
    'demand',
    id,
    clientId,
    subjectUserId,
    operation.type,
    operation.digest,
    operation.summary.map(({ label, value }) => [label, value]),
    createdAt,
    expiresAt,
  ]
}

/** Which code went to which mailbox. */
function issuanceOf(issuance: OtpIssuance): Facts {
  const { id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt } = issuance
  return ['issuance', id, challengeId, subjectUserId, number, keyId, recipient, issuedAt, expiresAt]
}

/** That the code of the issuance was given for what the client asked for, and when. */
function approvalOf(challenge: Challenge, issuance: OtpIssuance | undefined): Facts {
  const verifiedAt = 'verifiedAt' in challenge ? challenge.verifiedAt : undefined
  return ['approval', demandOf(challenge), issuance?.id, verifiedAt]
}

/** Which call used the approval, and when. */
function consumptionOf(challenge: Challenge): Facts {
  if (challenge.status !== 'consumed') throw new Error(`challenge ${challenge.id} is ${challenge.status}`)
  const { verifiedAt, consumedAt, consumedBy } = challenge
  return ['consumption', demandOf(challenge), verifiedAt, consumedAt, consumedBy.key, consumedBy.fingerprint]
}
