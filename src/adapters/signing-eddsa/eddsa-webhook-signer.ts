import { type KeyObject, sign } from 'node:crypto'
import { type SignedDelivery, signedContentOf, type WebhookSigner } from '../../contracts/webhook-signer.ts'
import { pairOf, type SigningKey } from './eddsa-challenge-signer.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Signs deliveries with the active one of the published keys (`v1a` of Standard Webhooks: Ed25519). */
export class EddsaWebhookSigner implements WebhookSigner {
  readonly #key: KeyObject

  constructor([active]: readonly [SigningKey, ...SigningKey[]]) {
    this.#key = pairOf(active).key
  }

  async sign(delivery: SignedDelivery): Promise<string> {
    // What is signed then begins with a UUID and a dot. So it is never what a JWT signs, which begins with `eyJ`.
    if (!UUID.test(delivery.id)) throw new TypeError('The id of a delivery must be a UUID')
    return `v1a,${sign(null, Buffer.from(signedContentOf(delivery)), this.#key).toString('base64')}`
  }
}
