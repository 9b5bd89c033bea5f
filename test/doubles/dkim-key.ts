import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { DkimKey } from '../../src/adapters/mail-smtp/dkim-signer.ts'

export function newDkimKey(id: string, bits = 2048): DkimKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return { id, bytes: privateKey.export({ type: 'pkcs8', format: 'der' }) }
}

/** As it stands in `DKIM_KEYS`. */
export function textOf({ id, bytes }: DkimKey): string {
  return `${id}:${Buffer.from(bytes).toString('base64')}`
}

/** The text of the TXT record that belongs to a key. */
export function recordOf({ bytes }: DkimKey): string {
  const key = createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  const published = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `v=DKIM1; k=rsa; p=${published.toString('base64')}`
}
