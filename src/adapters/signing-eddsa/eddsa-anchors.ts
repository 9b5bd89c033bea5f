import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import type {
  AnchorSigner,
  AnchorVerifier,
  SignedAnchor,
  TrailAnchor,
} from '../../application/ports/trail-anchors.ts'
import { type KeyPair, pairOf, type SigningKey, signedJwt, signingInputOf } from './eddsa-challenge-signer.ts'

/** A type of its own, as those of challenges and authorisations are. */
const ANCHOR_TYPE = 'countersign-trail-anchor+jwt'

/** Signs with the active key. The signature is that of a JWT in the compact form, over the fields of the anchor. */
export class EddsaAnchorSigner implements AnchorSigner {
  readonly #pair: KeyPair

  constructor([active]: readonly [SigningKey, ...SigningKey[]]) {
    this.#pair = pairOf(active)
  }

  sign(anchor: TrailAnchor): SignedAnchor {
    const signature = signedJwt(this.#pair, ANCHOR_TYPE, claimsOf(anchor)).split('.')[2]!
    return { ...anchor, keyId: this.#pair.id, signature }
  }
}

/** A key as a JWK Set has it. */
export interface PublicKey extends JsonWebKey {
  readonly kid: string
}

export class EddsaAnchorVerifier implements AnchorVerifier {
  readonly #keys: ReadonlyMap<string, KeyObject>

  constructor(keys: readonly PublicKey[]) {
    this.#keys = new Map(keys.map((key) => [key.kid, createPublicKey({ key, format: 'jwk' })]))
  }

  verify(anchor: SignedAnchor): 'genuine' | 'forged' | 'unknown-key' {
    const key = this.#keys.get(anchor.keyId)
    if (!key) return 'unknown-key'
    const input = signingInputOf(anchor.keyId, ANCHOR_TYPE, claimsOf(anchor))
    const genuine = verify(null, Buffer.from(input), key, Buffer.from(anchor.signature, 'base64url'))
    return genuine ? 'genuine' : 'forged'
  }
}

/** The order of the claims is part of the signature. */
function claimsOf({ number, firstId, lastId, events, digest, previous, signedAt }: TrailAnchor): object {
  return { number, firstId, lastId, events, digest, previous, iat: signedAt.getTime() / 1000 }
}
