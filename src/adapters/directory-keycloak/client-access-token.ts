import { z } from 'zod'
import type { Clock } from '../../application/ports/clock.ts'
import { DirectoryUnavailable } from '../../application/ports/user-directory.ts'
import { secondsAfter } from '../../domain/instant.ts'
import { callKeycloak, parseBody } from './keycloak-call.ts'

/** A token that ends this soon could end during the call. */
const MARGIN_IN_SECONDS = 10
const PLACE = 'the token endpoint'

const TokenAnswer = z.object({
  /** RFC 6750 §2.1: other characters are not allowed in the header. */
  access_token: z.string().regex(/^[A-Za-z0-9._~+/-]+=*$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int().positive(),
})

/** The access token of one client of a realm (client-credentials grant, RFC 6749 §4.4), fetched when needed. */
export class ClientAccessToken {
  readonly #url: URL
  readonly #form: Readonly<Record<string, string>>
  readonly #timeoutInMs: number
  readonly #clock: Clock
  readonly #fetch: typeof fetch | undefined
  #known: { readonly token: string; readonly usableUntil: Date } | undefined
  #underway: Promise<string> | undefined

  constructor(
    url: URL,
    clientId: string,
    clientSecret: string,
    timeoutInMs: number,
    clock: Clock,
    fetch?: typeof globalThis.fetch,
  ) {
    this.#url = url
    // Credentials in the body, where the encoding is certain: Keycloak before release 20 does not decode a Basic header
    // as RFC 6749 §2.3.1 requires (keycloak/keycloak#11908).
    this.#form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    this.#timeoutInMs = timeoutInMs
    this.#clock = clock
    this.#fetch = fetch
  }

  /** @throws {DirectoryUnavailable} if Keycloak does not issue a token. */
  async get(): Promise<string> {
    if (this.#known && this.#clock.now() < this.#known.usableUntil) return this.#known.token

    this.#underway ??= this.#fetchToken().finally(() => {
      this.#underway = undefined
    })
    return this.#underway
  }

  /** Drops a token that Keycloak no longer accepts. Keeps a newer one, which a parallel call may have fetched. */
  discard(token: string): void {
    if (this.#known?.token === token) this.#known = undefined
  }

  async #fetchToken(): Promise<string> {
    const askedAt = this.#clock.now()
    const answer = await callKeycloak(
      PLACE,
      this.#url,
      { method: 'POST', body: new URLSearchParams(this.#form) },
      this.#timeoutInMs,
      this.#fetch,
    )
    if (answer.status !== 200) throw new DirectoryUnavailable(`${PLACE} answered ${answer.status}`)

    const { access_token, expires_in } = parseBody(PLACE, answer, TokenAnswer)
    this.#known = { token: access_token, usableUntil: secondsAfter(askedAt, expires_in - MARGIN_IN_SECONDS) }
    return access_token
  }
}
