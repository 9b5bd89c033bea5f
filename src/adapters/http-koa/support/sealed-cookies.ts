import { hkdfSync } from 'node:crypto'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import type { EdgeContext } from '../edge/state.ts'

/** A secret that the key of the cookies is derived from: at least 32 bytes from a CSPRNG. */
export interface CookieKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Keeps the derived key apart from every other key that is made of the same secret. */
const LABEL = 'countersign/support-cookie/1'
const KEY_BYTES = 32

/**
 * Cookies that the browser keeps and can neither read nor change: JSON Web Encryption with AES-256-GCM, under keys derived from
 * `OTP_KEYS`. So any process of the service can open them, and none stores them. Scripts never see them.
 */
export class SealedCookies {
  readonly #keys: ReadonlyMap<string, Uint8Array>
  readonly #active: string
  readonly #secure: boolean

  /**
   * @param keys the first one seals. The others still open.
   * @param secure whether browsers send the cookies over HTTPS only. Without, they are for this machine.
   */
  constructor(keys: readonly [CookieKey, ...CookieKey[]], { secure }: { readonly secure: boolean }) {
    this.#keys = new Map(
      keys.map(({ id, bytes }) => [id, new Uint8Array(hkdfSync('sha256', bytes, '', LABEL, KEY_BYTES))]),
    )
    this.#active = keys[0].id
    this.#secure = secure
  }

  /** @param purpose a name that a cookie of another purpose does not have, so that none can take the place of another. */
  async set(
    ctx: EdgeContext,
    purpose: string,
    values: Readonly<Record<string, unknown>>,
    until: Date,
  ): Promise<void> {
    const sealed = await new EncryptJWT(values)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: this.#active })
      .setAudience(purpose)
      .setExpirationTime(until)
      .encrypt(this.#keys.get(this.#active)!)
    ctx.append('Set-Cookie', this.#header(purpose, sealed))
  }

  /** The values of the cookie. Undefined without one, if it is not ours, or if its time has passed. */
  async read(ctx: EdgeContext, purpose: string, now: Date): Promise<Record<string, unknown> | undefined> {
    const sealed = ctx.cookies.get(this.#name(purpose), { signed: false })
    if (sealed === undefined) return undefined
    try {
      const { payload } = await jwtDecrypt(
        sealed,
        ({ kid }) => this.#keys.get(kid ?? '') ?? new Uint8Array(),
        {
          ...{ audience: purpose, currentDate: now, requiredClaims: ['exp'] },
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        },
      )
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
      throw error
    }
  }

  remove(ctx: EdgeContext, purpose: string): void {
    ctx.append('Set-Cookie', `${this.#header(purpose, '')}; Max-Age=0`)
  }

  /** `Lax`, because the issuer sends the browser back from another site. No request that changes anything is a GET. */
  #header(purpose: string, value: string): string {
    return `${this.#name(purpose)}=${value}; Path=/; HttpOnly; SameSite=Lax${this.#secure ? '; Secure' : ''}`
  }

  /** Browsers take a cookie of this prefix from this origin alone, and only over HTTPS (RFC 6265bis §4.1.3.2). */
  #name(purpose: string): string {
    return `${this.#secure ? '__Host-' : ''}countersign-${purpose}`
  }
}
