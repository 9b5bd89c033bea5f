import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { ReportedMail, ReportLinks } from '../../application/ports/report-links.ts'

/** A secret that this adapter derives a key from: at least 32 bytes from a CSPRNG. */
export interface ReportKey {
  readonly bytes: Uint8Array
}

/** Keeps the derived key apart from every other key that is made of the same secret. */
const LABEL = 'countersign/report-link/1'
const KEY_BYTES = 32
const ID_BYTES = 16
/** 112 bits. With the id they fill 40 characters of base64url, so each token has one spelling. */
const MAC_BYTES = 14
const TOKEN = /^([A-Za-z0-9_-]{40})([cl])$/

/**
 * `<base URL>/<id and MAC, in base64url><kind>`. The kind is a letter at the end, because programs that find links in plain text leave
 * out a last `-` or `_`. The MAC is HMAC-SHA-256, cut off, over kind and id.
 */
export class HmacReportLinks implements ReportLinks {
  readonly #baseUrl: string
  readonly #keys: readonly Uint8Array[]

  /** @param keys the first one is active. The others still verify. @param baseUrl without a slash at its end. */
  constructor(keys: readonly [ReportKey, ...ReportKey[]], baseUrl: string) {
    this.#baseUrl = baseUrl
    this.#keys = keys.map(({ bytes }) => new Uint8Array(hkdfSync('sha256', bytes, '', LABEL, KEY_BYTES)))
  }

  urlFor(mail: ReportedMail): string {
    const [kind, uuid] = mail.kind === 'otp' ? ['c', mail.issuanceId] : ['l', mail.challengeId]
    const id = Buffer.from(uuid!.replaceAll('-', ''), 'hex')
    return `${this.#baseUrl}/${Buffer.concat([id, mac(this.#keys[0]!, kind!, id)]).toString('base64url')}${kind}`
  }

  mailOf(token: string): ReportedMail | undefined {
    const [, encoded, kind] = TOKEN.exec(token) ?? []
    if (encoded === undefined || kind === undefined) return undefined
    const bytes = Buffer.from(encoded, 'base64url')
    const [id, given] = [bytes.subarray(0, ID_BYTES), bytes.subarray(ID_BYTES)]
    const verdicts = this.#keys.map((key) => timingSafeEqual(mac(key, kind, id), given))
    if (!verdicts.includes(true)) return undefined
    return kind === 'c'
      ? { kind: 'otp', issuanceId: uuidOf(id) }
      : { kind: 'lock-notice', challengeId: uuidOf(id) }
  }
}

function mac(key: Uint8Array, kind: string, id: Uint8Array): Buffer {
  return createHmac('sha256', key).update(kind).update(id).digest().subarray(0, MAC_BYTES)
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
