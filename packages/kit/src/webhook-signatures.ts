import {
  createHmac,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'

/* The signatures of Standard Webhooks: `v1` is HMAC-SHA-256 with a shared secret, `v1a` is Ed25519. */

/** The headers of a delivery, by their names in lower case. */
export type EventHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What a delivery says about itself. */
export interface SignedHeaders {
  readonly id: string
  readonly timestamp: number
  readonly signatures: readonly { readonly version: string; readonly signature: Buffer }[]
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/
/** Standard Webhooks asks for at least 24 bytes. */
const SHORTEST_SECRET_IN_BYTES = 24
/** Two secrets and one key are what the service sends. */
const MOST_SIGNATURES = 10

/** @throws {TypeError} if the text is no secret of Standard Webhooks. The message does not quote it. */
export function secretBytes(secret: string): Buffer {
  const bytes = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64')
  if (bytes.length < SHORTEST_SECRET_IN_BYTES) {
    throw new TypeError(
      'secrets: each must be whsec_ and at least 24 bytes in base64, as the service gave it',
    )
  }
  return bytes
}

/** The Ed25519 keys among published ones. Others sign nothing here. */
export function ed25519Keys(keys: readonly JsonWebKey[]): readonly KeyObject[] {
  return keys
    .filter(({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519')
    .map((key) => createPublicKey({ key: { kty: key.kty!, crv: key.crv!, x: key.x! }, format: 'jwk' }))
}

/** Undefined if a header is missing or malformed. */
export function signedHeaders(headers: EventHeaders): SignedHeaders | undefined {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
    (name) => headers[name],
  )
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return undefined
  if (id === '' || id.includes('.') || !/^\d{1,12}$/.test(timestamp)) return undefined
  const all = signatures.split(' ').slice(0, MOST_SIGNATURES)
  return {
    id,
    timestamp: Number(timestamp),
    signatures: all.map((each) => {
      const [version = '', signature = ''] = each.split(',')
      return { version, signature: Buffer.from(signature, 'base64') }
    }),
  }
}

/** Whether one of the secrets made one of the signatures. Takes the same time wherever they differ. */
export function isSignedWithSecret(
  secrets: readonly Buffer[],
  headers: SignedHeaders,
  body: Buffer,
): boolean {
  const expected = secrets.map((secret) =>
    createHmac('sha256', secret).update(contentOf(headers, body)).digest(),
  )
  return signaturesOf(headers, 'v1').some((given) =>
    expected.some((each) => each.length === given.length && timingSafeEqual(each, given)),
  )
}

/** Whether one of the keys made one of the signatures. */
export function isSignedWithKey(keys: readonly KeyObject[], headers: SignedHeaders, body: Buffer): boolean {
  const content = contentOf(headers, body)
  return signaturesOf(headers, 'v1a').some((given) => keys.some((key) => verify(null, content, key, given)))
}

/** Whether the delivery has a signature of this version at all. */
export function hasSignature(headers: SignedHeaders, version: 'v1' | 'v1a'): boolean {
  return signaturesOf(headers, version).length > 0
}

function signaturesOf({ signatures }: SignedHeaders, version: 'v1' | 'v1a'): readonly Buffer[] {
  return signatures.filter((each) => each.version === version).map(({ signature }) => signature)
}

function contentOf({ id, timestamp }: SignedHeaders, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
}
