import { hkdfSync, randomBytes } from 'node:crypto'
import { WebhookSecretLost, type WebhookSecrets } from '../../application/ports/webhook-secrets.ts'
import type { WebhookSecretOrigin } from '../../domain/webhook-endpoint.ts'

/** A secret that this adapter derives keys from: at least 32 bytes from a CSPRNG. */
export interface WebhookSecretKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Keeps the derived secrets apart from every other key that is made of the same secret. The client's name follows. */
const LABEL = 'countersign/webhook-secret/1/'
const SALT_BYTES = 16
/** Standard Webhooks allows 24 to 64 bytes. */
const SECRET_BYTES = 32

/** HKDF (RFC 5869) with SHA-256 over a key of `OTP_KEYS`, so that a copy of the database holds no secret. */
export class HkdfWebhookSecrets implements WebhookSecrets {
  readonly #keys: readonly [WebhookSecretKey, ...WebhookSecretKey[]]

  /** @param keys the first one is active. The others still yield the secrets that were derived from them. */
  constructor(keys: readonly [WebhookSecretKey, ...WebhookSecretKey[]]) {
    this.#keys = keys
  }

  newOrigin(): WebhookSecretOrigin {
    return { keyId: this.#keys[0].id, salt: randomBytes(SALT_BYTES).toString('base64url') }
  }

  secretOf(clientId: string, { keyId, salt }: WebhookSecretOrigin): string {
    const key = this.#keys.find(({ id }) => id === keyId)
    if (!key) throw new WebhookSecretLost(keyId)
    const label = `${LABEL}${clientId}`
    const bytes = hkdfSync('sha256', key.bytes, Buffer.from(salt, 'base64url'), label, SECRET_BYTES)
    return `whsec_${Buffer.from(bytes).toString('base64')}`
  }
}
