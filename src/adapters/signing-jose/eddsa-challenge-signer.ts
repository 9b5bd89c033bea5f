import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { ChallengeSigner } from '../../application/ports/challenge-signer.ts'
import type { Challenge } from '../../domain/challenge.ts'

/** An Ed25519 key: `bytes` are the 32-byte private key of RFC 8032 §5.1.5. */
export interface SigningKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Of our own, so that no verifier that looks at `typ` takes the signature for an access token (RFC 8725 §3.11). */
const TYPE = 'countersign-challenge+jwt'
/** An Ed25519 private key in PKCS #8 (RFC 8410 §7) is these octets and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs with Ed25519, so the same challenge under the same key has the same signature, however often it is asked for. */
export class EddsaChallengeSigner implements ChallengeSigner {
  readonly #active: { readonly id: string; readonly key: KeyObject }
  readonly #publicKeys: { readonly keys: readonly object[] }

  /** @param keys the first one signs, all are published. */
  constructor(keys: readonly [SigningKey, ...SigningKey[]]) {
    this.#active = { id: keys[0].id, key: privateKey(keys[0]) }
    this.#publicKeys = {
      keys: keys.map((key) => ({
        ...createPublicKey(privateKey(key)).export({ format: 'jwk' }),
        kid: key.id,
        use: 'sig',
        alg: 'EdDSA',
      })),
    }
  }

  sign({ id, clientId, subjectUserId, operation, createdAt, expiresAt }: Challenge): Promise<string> {
    return new SignJWT({ operation: { type: operation.type, digest: operation.digest } })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.#active.id, typ: TYPE })
      .setJti(id)
      .setSubject(subjectUserId)
      .setAudience(clientId)
      .setIssuedAt(createdAt)
      .setExpirationTime(expiresAt)
      .sign(this.#active.key)
  }

  publicKeys() {
    return this.#publicKeys
  }
}

function privateKey({ bytes }: SigningKey): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: 'der', type: 'pkcs8' })
}
