import { createPrivateKey, createPublicKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { SignJWT } from 'jose'
import type { ChallengeSigner } from '../../application/ports/challenge-signer.ts'
import type { Challenge, ConsumedChallenge } from '../../domain/challenge.ts'
import { secondsAfter } from '../../domain/instant.ts'

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

interface KeyPair {
  readonly id: string
  readonly key: KeyObject
}

/** Signs with Ed25519, which is deterministic: the same statement under the same key always has the same signature. */
export class EddsaChallengeSigner implements ChallengeSigner {
  readonly #pairs: readonly [KeyPair, ...KeyPair[]]

  /** @param keys the first one signs. All are published. */
  constructor([active, ...others]: readonly [SigningKey, ...SigningKey[]]) {
    this.#pairs = [pairOf(active), ...others.map(pairOf)]
  }

  sign(challenge: Challenge): Promise<string> {
    return signChallenge(challenge, this.#pairs[0])
  }

  /** Signs again and compares, so that it parses no input from strangers. */
  async verifies(challenge: Challenge, signature: string): Promise<boolean> {
    for (const pair of this.#pairs) {
      if (equal(await signChallenge(challenge, pair), signature)) return true
    }
    return false
  }

  authorise({
    id,
    clientId,
    subjectUserId,
    operation,
    verifiedAt,
    consumedAt,
  }: ConsumedChallenge): Promise<string> {
    const { key, id: kid } = this.#pairs[0]
    return new SignJWT({
      operation: { type: operation.type, digest: operation.digest },
      amr: ['otp', 'email'],
      auth_time: Math.floor(verifiedAt.getTime() / 1000),
    })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: AUTHORISATION_TYPE })
      .setJti(id)
      .setSubject(subjectUserId)
      .setAudience(clientId)
      .setIssuedAt(consumedAt)
      .setExpirationTime(secondsAfter(consumedAt, AUTHORISATION_LIFETIME_IN_SECONDS))
      .sign(key)
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

function signChallenge(challenge: Challenge, { id: kid, key }: KeyPair): Promise<string> {
  const { id, clientId, subjectUserId, operation, createdAt, expiresAt } = challenge
  return new SignJWT({ operation: { type: operation.type, digest: operation.digest } })
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: CHALLENGE_TYPE })
    .setJti(id)
    .setSubject(subjectUserId)
    .setAudience(clientId)
    .setIssuedAt(createdAt)
    .setExpirationTime(expiresAt)
    .sign(key)
}

function equal(one: string, other: string): boolean {
  const [ours, theirs] = [Buffer.from(one), Buffer.from(other)]
  return ours.length === theirs.length && timingSafeEqual(ours, theirs)
}

function pairOf(key: SigningKey): KeyPair {
  return { id: key.id, key: privateKey(key) }
}

function privateKey({ bytes }: SigningKey): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: 'der', type: 'pkcs8' })
}
