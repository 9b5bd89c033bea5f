import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, timingSafeEqual } from 'node:crypto'
import type { ChallengeSigner } from '../../application/ports/challenge-signer.ts'
import type { Challenge, ConsumedChallenge } from '../../domain/challenge.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { Operation } from '../../domain/operation.ts'

/** An Ed25519 key: `bytes` are the 32-byte private key of RFC 8032 §5.1.5. */
export interface SigningKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Our own types, so that a verifier which checks `typ` mistakes neither for an access token (RFC 8725 §3.11). */
const CHALLENGE_TYPE = 'countersign-challenge+jwt'
const AUTHORISATION_TYPE = 'countersign-authorisation+jwt'
const AUTHORISATION_LIFETIME_IN_SECONDS = 300
/** An Ed25519 private key in PKCS #8 (RFC 8410 §7) consists of these octets and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

export interface KeyPair {
  readonly id: string
  readonly key: KeyObject
}

/** Signs with Ed25519, which is deterministic: the same statement under the same key always has the same signature. */
export class EddsaChallengeSigner implements ChallengeSigner {
  readonly #pairs: readonly [KeyPair, ...KeyPair[]]
  readonly #summaryFrom: Date

  /**
   * @param keys the first one signs. All are published.
   * @param summaryFrom signatures of challenges from then on state the summary. Those before do not, because instances of a version
   *   that states none must recognise them.
   */
  constructor([active, ...others]: readonly [SigningKey, ...SigningKey[]], summaryFrom = new Date(0)) {
    this.#pairs = [pairOf(active), ...others.map(pairOf)]
    this.#summaryFrom = summaryFrom
  }

  async sign(challenge: Challenge): Promise<string> {
    return this.#sign(challenge, this.#pairs[0])
  }

  /** Signs again and compares, so that it parses no input from strangers. */
  async verifies(challenge: Challenge, signature: string): Promise<boolean> {
    for (const pair of this.#pairs) {
      if (equal(this.#sign(challenge, pair), signature)) return true
    }
    return false
  }

  async authorise(challenge: ConsumedChallenge): Promise<string> {
    const { id, clientId, subjectUserId, operation, verifiedAt, consumedAt } = challenge
    return signedJwt(this.#pairs[0], AUTHORISATION_TYPE, {
      operation: claimOf(operation),
      amr: ['otp', 'email'],
      auth_time: secondsOf(verifiedAt),
      jti: id,
      sub: subjectUserId,
      aud: clientId,
      iat: secondsOf(consumedAt),
      exp: secondsOf(secondsAfter(consumedAt, AUTHORISATION_LIFETIME_IN_SECONDS)),
    })
  }

  /** The order of the claims is part of the signature. If it changed, no signature from before would verify. */
  #sign({ id, clientId, subjectUserId, operation, createdAt, expiresAt }: Challenge, pair: KeyPair): string {
    const { type, digest } = operation
    return signedJwt(pair, CHALLENGE_TYPE, {
      operation: createdAt < this.#summaryFrom ? { type, digest } : claimOf(operation),
      jti: id,
      sub: subjectUserId,
      aud: clientId,
      iat: secondsOf(createdAt),
      exp: secondsOf(expiresAt),
    })
  }

  publicKeys() {
    return {
      keys: this.#pairs.map(({ id, key }) => ({
        ...createPublicKey(key).export({ format: 'jwk' }),
        kid: id,
        use: 'sig',
        alg: 'EdDSA',
      })),
    }
  }
}

/** What was asked of the user: what machines compare, and what the user read. */
function claimOf({ type, digest, summary }: Operation) {
  return { type, digest, summary_digest: hash('sha256', Operation.canonicalSummary(summary), 'base64url') }
}

/**
 * A JWT in the compact form of RFC 7515 §7.1, signed as in RFC 8037 §3.1. jose would sign in a thread of its own, which costs as much
 * again as the signature (decision 37).
 */
export function signedJwt({ id: kid, key }: KeyPair, typ: string, claims: object): string {
  const signingInput = signingInputOf(kid, typ, claims)
  return `${signingInput}.${sign(null, Buffer.from(signingInput), key).toString('base64url')}`
}

export function signingInputOf(kid: string, typ: string, claims: object): string {
  return `${segmentOf({ alg: 'EdDSA', kid, typ })}.${segmentOf(claims)}`
}

function segmentOf(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/** A NumericDate (RFC 7519 §2). */
function secondsOf(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

function equal(one: string, other: string): boolean {
  const [ours, theirs] = [Buffer.from(one), Buffer.from(other)]
  return ours.length === theirs.length && timingSafeEqual(ours, theirs)
}

export function pairOf(key: SigningKey): KeyPair {
  return { id: key.id, key: privateKey(key) }
}

function privateKey({ bytes }: SigningKey): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: 'der', type: 'pkcs8' })
}
