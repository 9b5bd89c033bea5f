import { z } from 'zod'
import type { Clock } from '../../application/ports/clock.ts'
import { DirectoryUnavailable, type ExternalUserDirectory } from '../../application/ports/user-directory.ts'
import type { User, Whereabouts } from '../../domain/user.ts'
import { ClientAccessToken } from './client-access-token.ts'
import { callKeycloak, type KeycloakAnswer, parseBody } from './keycloak-call.ts'
import { TtlCache } from './ttl-cache.ts'
import { UserRepresentation, whereaboutsOf } from './user-representation.ts'

export interface KeycloakOptions {
  /** Keycloak's URL, with its path if it has one: `https://id.example/auth`. The client's secret is sent there. */
  readonly url: URL
  readonly realm: string
  /** A confidential client with a service account that has the role `view-users` of `realm-management`. */
  readonly clientId: string
  readonly clientSecret: string
  /** For each call. A find makes two calls, or four if Keycloak has revoked the token. */
  readonly timeoutInMs?: number
  readonly rememberedUsers?: number
  /** Replaces the `fetch` of the process. */
  readonly fetch?: typeof fetch | undefined
  /** Called when the attribute `locale` of a user is no language tag. The user gets English. Must not throw. */
  readonly onUnreadableLocale?: (userId: string) => void
}

const TIMEOUT_IN_MS = 3000
/** Long enough for the few finds of one step-up. Short enough that a changed address counts almost at once. */
const MEMORY_IN_SECONDS = 5
const REMEMBERED_USERS = 10_000
const PLACE = 'the users endpoint'

/**
 * An id that a path can hold. Keycloak's own ids are UUIDs, but those of a federated user (`f:<provider>:<name there>`)
 * and of an imported one have any form. A proxy on the way may decode an encoded slash or semicolon, and then the id
 * would lead to another resource. `%` would do so where a proxy decodes twice.
 */
const PATH_SEGMENT = /^(?!\.{1,2}$)[^/\\;%\p{C}\p{Zl}\p{Zp}]+$/u
/** What Keycloak itself has beside the ids of users, at the same place. */
const RESOURCES = ['count', 'profile']

/**
 * The body of a 404 from Keycloak itself. A 404 alone is no proof: a proxy may hide `/admin`, as Keycloak's guide on
 * reverse proxies advises, and then every user would seem to be missing.
 */
const UserNotFound = z.object({ error: z.literal('User not found') })

/** Looks up users in the Admin REST API of Keycloak: those who are enabled and have a verified address. */
export class KeycloakUserDirectory implements ExternalUserDirectory {
  readonly #users: URL
  readonly #token: ClientAccessToken
  readonly #memory: TtlCache<Whereabouts>
  readonly #timeoutInMs: number
  readonly #fetch: typeof fetch | undefined
  readonly #onUnreadableLocale: (userId: string) => void

  constructor(options: KeycloakOptions, clock: Clock) {
    const { url, clientId, clientSecret, timeoutInMs = TIMEOUT_IN_MS } = options
    const base = new URL(url)
    base.pathname = url.pathname.replace(/\/*$/, '/')
    const realm = encodeURIComponent(options.realm)

    this.#users = new URL(`admin/realms/${realm}/users/`, base)
    this.#token = new ClientAccessToken(
      new URL(`realms/${realm}/protocol/openid-connect/token`, base),
      clientId,
      clientSecret,
      timeoutInMs,
      clock,
      options.fetch,
    )
    this.#memory = new TtlCache(
      MEMORY_IN_SECONDS,
      options.rememberedUsers ?? REMEMBERED_USERS,
      clock,
      // An answer without a user may end a challenge for good, so it must be true now: a user may have come since.
      ({ user }) => user !== undefined,
    )
    this.#timeoutInMs = timeoutInMs
    this.#fetch = options.fetch
    this.#onUnreadableLocale = options.onUnreadableLocale ?? (() => {})
  }

  async find(userId: string): Promise<User | undefined> {
    return (await this.locate(userId)).user
  }

  async locate(userId: string): Promise<Whereabouts> {
    // Nobody was asked, so nobody said that the user is gone.
    if (!PATH_SEGMENT.test(userId) || RESOURCES.includes(userId)) {
      return { user: undefined, because: 'no-address' }
    }
    return this.#memory.getOrLoad(userId, () => this.#ask(userId))
  }

  async #ask(userId: string): Promise<Whereabouts> {
    const answer = await this.#call(new URL(encodeURIComponent(userId), this.#users))
    if (answer.status === 404) {
      parseBody(PLACE, answer, UserNotFound)
      return { user: undefined, because: 'absent' }
    }
    if (answer.status !== 200) throw new DirectoryUnavailable(`${PLACE} answered ${answer.status}`)

    const representation = parseBody(PLACE, answer, UserRepresentation)
    if (representation.id !== userId) throw new DirectoryUnavailable(`${PLACE} answered with another user`)
    return whereaboutsOf(representation, () => this.#onUnreadableLocale(userId))
  }

  /** A token can end early, when Keycloak's keys or sessions change. So a refused token is replaced once. */
  async #call(url: URL): Promise<KeycloakAnswer> {
    const answer = await this.#callOnce(url)
    return answer.status === 401 ? this.#callOnce(url) : answer
  }

  async #callOnce(url: URL): Promise<KeycloakAnswer> {
    const token = await this.#token.get()
    const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' }
    const answer = await callKeycloak(PLACE, url, { headers }, this.#timeoutInMs, this.#fetch)
    if (answer.status === 401) this.#token.discard(token)
    return answer
  }
}
