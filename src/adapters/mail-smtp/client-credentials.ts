import { z } from 'zod'

/** A client of an authorisation server that issues tokens without a user (RFC 6749 §4.4). */
export interface ClientCredentials {
  /** The token endpoint; `https://`, unless it is on this machine. The secret is sent there. */
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string | undefined
}

/** A token that ends this soon could end before the login does. */
const MARGIN_IN_MS = 60_000
/** For an answer without `expires_in`, which RFC 6749 §5.1 only recommends. */
const LIFETIME_IN_SECONDS = 300
const TIMEOUT_IN_MS = 4000
const MAX_ANSWER_BYTES = 65_536
/** Every connection asks after a failure. The endpoint gets one question in this time. */
const FAILURE_LASTS_MS = 5000
/** A token of this age was good once, so a refusal may mean that it was revoked. */
const RENEWABLE_AFTER_MS = 60_000

const Token = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  // Some servers write the number as a text.
  expires_in: z.coerce.number().positive().catch(LIFETIME_IN_SECONDS),
})
/** RFC 6749 §5.2. Other members may quote the request. */
const Refusal = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) })

/** The authorisation server issued no token. Says why in codes, and repeats nothing of request or answer. */
export class TokenUnavailable extends Error {
  /** `401 invalid_client`, or `no answer`. */
  readonly reply: string
  constructor(reply: string) {
    super(`The token endpoint issued no token (${reply})`)
    this.reply = reply
  }
}

interface KnownToken {
  readonly token: string
  readonly fetchedAt: number
  readonly usableUntil: number
  /** Whether the mail server has accepted it. */
  accepted: boolean
}

/** The access token of a client, kept until shortly before its end. All connections share it. */
export class AccessToken {
  readonly #client: ClientCredentials
  readonly #now: () => number
  #known: KnownToken | undefined
  #failure: { readonly reply: string; readonly until: number } | undefined
  #underway: Promise<string> | undefined

  constructor(client: ClientCredentials, now: () => number = Date.now) {
    this.#client = client
    this.#now = now
  }

  /** @throws {TokenUnavailable} */
  async get(): Promise<string> {
    if (this.#known && this.#now() < this.#known.usableUntil) return this.#known.token
    if (this.#failure && this.#now() < this.#failure.until) throw new TokenUnavailable(this.#failure.reply)

    this.#underway ??= this.#fetchToken().finally(() => {
      this.#underway = undefined
    })
    return this.#underway
  }

  /** Records that the mail server accepted the token. */
  accept(token: string): void {
    if (this.#known?.token === token) this.#known.accepted = true
  }

  /**
   * Forgets a token that the mail server refused, if another one may be accepted. A new token that it never accepted is kept:
   * the client lacks a permission, and the next token would too.
   */
  refuse(token: string): void {
    const known = this.#known
    if (known?.token !== token) return
    if (known.accepted || this.#now() >= known.fetchedAt + RENEWABLE_AFTER_MS) this.#known = undefined
  }

  async #fetchToken(): Promise<string> {
    const fetchedAt = this.#now()
    try {
      const { access_token: token, expires_in } = await this.#ask()
      const lifetime = expires_in * 1000
      const usableUntil = fetchedAt + lifetime - Math.min(MARGIN_IN_MS, lifetime / 2)
      this.#known = { token, fetchedAt, usableUntil, accepted: false }
      this.#failure = undefined
      return token
    } catch (error) {
      const reply = error instanceof TokenUnavailable ? error.reply : 'no answer'
      this.#failure = { reply, until: this.#now() + FAILURE_LASTS_MS }
      throw new TokenUnavailable(reply)
    }
  }

  async #ask(): Promise<z.infer<typeof Token>> {
    const { tokenUrl, clientId, clientSecret, scope } = this.#client
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      ...(scope !== undefined && { scope }),
    })
    const signal = AbortSignal.timeout(TIMEOUT_IN_MS)
    const headers = { Accept: 'application/json' }
    // A redirect would carry the secret to another place.
    const response = await fetch(tokenUrl, { method: 'POST', headers, body, redirect: 'manual', signal })
    const answer = await jsonOf(response)
    if (response.status !== 200) {
      const { error } = Refusal.safeParse(answer).data ?? {}
      throw new TokenUnavailable([response.status, error].filter(Boolean).join(' '))
    }
    const token = Token.safeParse(answer)
    if (!token.success) throw new TokenUnavailable('200 without a token')
    return token.data
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}
