import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** A secret that this derives a key from: at least 32 bytes from a CSPRNG. */
export interface PageKey {
  readonly bytes: Uint8Array
}

/** Keeps the derived key apart from every other key that is made of the same secret. */
const LABEL = 'countersign/report-page/1'
const KEY_BYTES = 32
/** Long enough to read the page, to be called away and to come back. */
const VALID_FOR_SECONDS = 3600
const PROOF = /^(\d{10})\.([A-Za-z0-9_-]{43})$/

/**
 * Shows that a form was sent from a page that this service served for the same link: a MAC over the link's token and the end of the
 * proof. The page has it in a field. Other sites cannot read the page, and a program that follows links and sends no form never has
 * it. It needs no cookie, which many browsers would not send after a click in a mail.
 */
export class PageProof {
  readonly #keys: readonly Uint8Array[]
  readonly #now: () => number

  /** @param keys the first one is active. The others still verify. @param now milliseconds since 1970. */
  constructor(keys: readonly [PageKey, ...PageKey[]], now: () => number = Date.now) {
    this.#keys = keys.map(({ bytes }) => new Uint8Array(hkdfSync('sha256', bytes, '', LABEL, KEY_BYTES)))
    this.#now = now
  }

  for(token: string): string {
    const until = Math.floor(this.#now() / 1000) + VALID_FOR_SECONDS
    return `${until}.${mac(this.#keys[0]!, token, until).toString('base64url')}`
  }

  accepts(proof: string, token: string): boolean {
    const [, end, encoded] = PROOF.exec(proof) ?? []
    if (end === undefined || encoded === undefined) return false
    const given = Buffer.from(encoded, 'base64url')
    const until = Number(end)
    const verdicts = this.#keys.map((key) => timingSafeEqual(mac(key, token, until), given))
    return verdicts.includes(true) && this.#now() < until * 1000
  }
}

function mac(key: Uint8Array, token: string, until: number): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([token, until]))
    .digest()
}
