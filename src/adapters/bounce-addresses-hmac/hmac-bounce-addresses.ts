import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { BounceAddresses } from '../../contracts/bounce-addresses.ts'

/** A secret that this adapter derives a key from: at least 32 bytes from a CSPRNG. */
export interface BounceKey {
  readonly bytes: Uint8Array
}

/** Keeps the derived key apart from every other key that is made of the same secret. */
const LABEL = 'countersign/bounce-address/1'
const KEY_BYTES = 32
/** 80 bits, which are 16 characters. */
const MAC_BYTES = 10
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const FORM = /^bounce\+([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([a-z2-7]{16})@(.+)$/

/**
 * `bounce+<issuance id>.<mac>@<domain>`: 60 of the 64 characters that a local part may have. The MAC is HMAC-SHA-256, cut off, in
 * base32, because mail systems may change the case of a local part.
 */
export class HmacBounceAddresses implements BounceAddresses {
  readonly #domain: string
  /** All domains whose addresses are ours. */
  readonly #domains: ReadonlySet<string>
  /** As objects: with the bytes, Node.js makes an object for each MAC, which takes several times as long as the MAC. */
  readonly #keys: readonly KeyObject[]

  /**
   * @param keys the first one is active. The others still verify.
   * @param domain in lower case, like `others`: the domains of brands that have one of their own.
   */
  constructor(keys: readonly [BounceKey, ...BounceKey[]], domain: string, others: readonly string[] = []) {
    this.#domain = domain
    this.#domains = new Set([domain, ...others])
    this.#keys = keys.map(({ bytes }) =>
      createSecretKey(new Uint8Array(hkdfSync('sha256', bytes, '', LABEL, KEY_BYTES))),
    )
  }

  of(issuanceId: string, domain = this.#domain): string {
    return `bounce+${issuanceId}.${mac(this.#keys[0]!, issuanceId)}@${domain}`
  }

  issuanceOf(address: string): string | 'forged' | undefined {
    const [, issuanceId, given, domain] = FORM.exec(address.toLowerCase()) ?? []
    if (issuanceId === undefined || given === undefined || !this.#domains.has(domain!)) return undefined
    const verdicts = this.#keys.map((key) =>
      timingSafeEqual(Buffer.from(mac(key, issuanceId)), Buffer.from(given)),
    )
    return verdicts.includes(true) ? issuanceId : 'forged'
  }
}

function mac(key: KeyObject, issuanceId: string): string {
  const digest = createHmac('sha256', key).update(issuanceId).digest().subarray(0, MAC_BYTES)
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return bits.replaceAll(/.{5}/g, (five) => BASE32[Number.parseInt(five, 2)]!)
}
