import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { z } from 'zod'
import {
  Challenge,
  ConsumedChallenge,
  ErrorBody,
  OpenedChallenge,
  ServiceEventPage,
  SharedWebhookEndpoint,
  type SummaryLine,
  User,
  WebhookEndpoint,
} from './answers.ts'
import { AnswerTooLong, boundedFetch, type FetchedText } from './bounded-fetch.ts'
import { ANSWERED_CODES, CountersignError, FIELD_CODES } from './countersign-error.ts'
import { protectedUrl } from './protected-url.ts'

/** Which operation which user must approve. */
export interface Demand {
  /** The user who must approve: the `sub` of their access tokens, 1 to 255 printable ASCII characters. */
  readonly subjectUserId: string
  readonly operation: {
    /**
     * The kind of operation, in the service's own terms, such as `payments.initiate`: at most 64 characters. It has lower-case
     * letters and digits, in parts joined by `.`, `_` or `-`, and begins with a letter.
     */
    readonly type: string
    /** SHA-256 of the operation's own request, in base64url without padding. `operationDigest` computes it. */
    readonly digest: string
    /**
     * What the user reads in the mail: 1 to 10 lines. A label has at most 40 UTF-16 code units, a value at most 200. Neither may
     * have line breaks or other control characters.
     */
    readonly summary: readonly SummaryLine[]
  }
  /** How long the challenge can be used: 1 to 86,400 seconds. Default: the lifetime that the service is configured with. */
  readonly expiresInSeconds?: number
}

/** What the user's app returned, and the operation that is about to run. */
export interface Proof {
  /** The `signature` of the opened challenge. */
  readonly signature: string
  /** The digest of the operation that is about to run, computed anew from the request. */
  readonly digest: string
}

/** What the directory has to know about a user. */
export interface DirectoryEntry {
  /** One plain e-mail address without a display name, of at most 254 characters. The user's codes are mailed to it. */
  readonly email: string
  /**
   * The language of the mails, as a BCP 47 tag of at most 35 characters. `de_AT` is stored as `de-AT`. A text that is no such tag is
   * left out, and the mails are in English.
   */
  readonly locale?: string
  /** How the mail addresses the user: one line of at most 100 characters. */
  readonly displayName?: string
}

/** Where a service wants to get its events. */
export interface WebhookDemand {
  /**
   * An `https://` URL of at most 2,048 characters without a user, a password and a fragment. Absent: no events are sent, and the
   * service reads them with `readServiceEvents`.
   */
  readonly url?: string
}

/** Which events to read. */
export interface ServiceEventsQuery {
  /** The cursor: `nextAfter` of the page before, or `position` of an event. Default: from the first event that is stored. */
  readonly after?: number
  /** How many events at most, 1 to 200. Default: 100. */
  readonly limit?: number
}

export interface CountersignClientOptions {
  /** The URL of the service, with the path prefix that a gateway may add: https, or http on this machine. */
  readonly baseUrl: string | URL
  /** Returns the access token of this service. Called before each attempt: use `clientCredentials`, or a source of your own. */
  readonly accessToken: () => string | Promise<string>
  /** The time that one attempt may take, in milliseconds. Its access token may take as long again. Default: 5000. */
  readonly timeoutInMs?: number
  /** How many more attempts a call may make after the first. Default: 2. */
  readonly retries?: number
  /** What sends the requests. Default: the `fetch` of Node.js. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Whether the URL may be plain HTTP to another machine, for a network that encrypts by itself, such as a service mesh. Default: false.
   * This machine may always be called over plain HTTP.
   */
  readonly allowPlainHttp?: boolean
}

export interface CallOptions {
  /** Ends the call with the signal's own reason. */
  readonly signal?: AbortSignal
}

export interface IdempotentCallOptions extends CallOptions {
  /** The name of this call, 1 to 255 visible ASCII characters. A repeat under the same name has no second effect. */
  readonly idempotencyKey?: string
}

export interface CallOfUserOptions extends CallOptions {
  /** The user's own access token. */
  readonly accessToken: string
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
  readonly idempotencyKey?: string
  /** The user's access token. Default: the token of this service. */
  readonly accessToken?: string
  readonly signal?: AbortSignal | undefined
  /** Whether the client may send the call again if its outcome is not known. */
  readonly repeatable: boolean
}

const CHALLENGES = '/internal/v1/mfa/challenges'
const USERS = '/internal/v1/mfa/users'
const WEBHOOKS = '/internal/v1/mfa/webhooks'
const EVENTS = '/internal/v1/mfa/events'
const TOTP_EMAIL = '/internal/v1/mfa/totp-email'
const RETRYABLE_STATUSES: readonly (number | undefined)[] = [429, 502, 503, 504]
const FIRST_PAUSE_IN_MS = 100
/** If the service asks for a longer pause than this, the call fails at once. */
const MAX_PAUSE_IN_MS = 5000
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/**
 * The calls of an operation service, of the service that keeps the users' addresses, and of a back end that calls for its user.
 *
 * Every call rejects with a {@link CountersignError}, with the reason of its signal, or with a `TypeError` for an argument that
 * cannot be sent. Every call can fail with `UNAUTHORIZED`, `INTERNAL_SERVER_ERROR`, `UNREACHABLE`, `TOKEN_UNAVAILABLE` and
 * `UNEXPECTED`; each method lists its other codes.
 *
 * The client repeats a call under the same idempotency key if nothing was answered, or 429, 502, 503 or 504. It never repeats
 * `initiateEmail` and `verifyEmail`, which cost the user a mail or an attempt.
 *
 * @example
 * ```ts
 * const client = new CountersignClient({
 *   baseUrl: 'https://countersign.bank.example',
 *   accessToken: clientCredentials({ tokenUrl, clientId: 'payments', clientSecret, scope: 'mfa:challenges:create' }),
 * })
 * const { challengeId, signature } = await client.openChallenge({
 *   subjectUserId: 'alice',
 *   operation: {
 *     type: 'payments.initiate',
 *     digest: operationDigest({ type: 'payments.initiate', request: { amount: 'EUR 1,250.00', to: 'ACME GmbH' } }),
 *     summary: [{ label: 'Amount', value: 'EUR 1,250.00' }, { label: 'To', value: 'ACME GmbH' }],
 *   },
 * })
 * ```
 */
export class CountersignClient {
  readonly #base: string
  readonly #accessToken: CountersignClientOptions['accessToken']
  readonly #timeoutInMs: number
  readonly #retries: number
  readonly #fetch: typeof globalThis.fetch | undefined

  /** @throws {TypeError} if the base URL is not valid, has credentials, a query or a fragment, or is plain HTTP to another machine. */
  constructor(options: CountersignClientOptions) {
    const { baseUrl, accessToken, timeoutInMs = 5000, retries = 2, fetch, allowPlainHttp } = options
    const { origin, pathname, search, hash, username, password } = protectedUrl(
      baseUrl,
      'baseUrl',
      allowPlainHttp,
    )
    if (search || hash || username || password) {
      throw new TypeError('baseUrl must be an http(s) URL without credentials, query and fragment')
    }
    this.#base = `${origin}${pathname.replace(/\/+$/, '')}`
    this.#accessToken = accessToken
    this.#timeoutInMs = timeoutInMs
    this.#retries = retries
    this.#fetch = fetch
  }

  /** The URL of the keys that verify authorisations. */
  get jwksUrl(): URL {
    return new URL(`${this.#base}/.well-known/jwks.json`)
  }

  /**
   * Asks for a user's approval of an operation. Needs the scope `mfa:challenges:create`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, `IDEMPOTENCY_KEY_REUSED`, `TOO_MANY_CHALLENGES`.
   *
   * @returns the challenge. `created` is false if the same call under the same idempotency key had opened it before.
   */
  async openChallenge(
    demand: Demand,
    { signal, idempotencyKey = randomUUID() }: IdempotentCallOptions = {},
  ): Promise<OpenedChallenge & { readonly created: boolean }> {
    const { subjectUserId, operation, expiresInSeconds } = demand
    const { type, digest, summary } = operation
    const answer = await this.#send({
      method: 'POST',
      path: CHALLENGES,
      body: {
        subjectUserId,
        operation: { type, digest, summary: summary.map(({ label, value }) => ({ label, value })) },
        expiresInSeconds,
      },
      idempotencyKey,
      signal,
      repeatable: true,
    })
    return { ...read(answer, OpenedChallenge), created: answer.status === 201 }
  }

  /**
   * Reads the state of a challenge. For the client that opened it; anyone else gets `CHALLENGE_NOT_FOUND`. Needs no scope.
   *
   * Codes: `BAD_REQUEST`, `CHALLENGE_NOT_FOUND`, `FORBIDDEN`.
   */
  async inspectChallenge(challengeId: string, { signal }: CallOptions = {}): Promise<Challenge> {
    const path = `${CHALLENGES}/${segment(challengeId)}`
    return read(await this.#send({ method: 'GET', path, signal, repeatable: true }), Challenge)
  }

  /**
   * Consumes the approval of a verified challenge, once. Run the operation when this resolves. For the client that opened the
   * challenge. Needs the scope `mfa:challenges:consume`.
   *
   * The default idempotency key is `step-up:` and the challenge id in lower case. A process that crashed in between can call again.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, `CHALLENGE_NOT_FOUND`, `CHALLENGE_NOT_VERIFIED`, `CHALLENGE_ALREADY_CONSUMED` under another
   * key, `CHALLENGE_EXPIRED`, `CHALLENGE_EXHAUSTED`, `CHALLENGE_CANCELLED`, `OPERATION_DOES_NOT_MATCH_CHALLENGE`,
   * `IDEMPOTENCY_KEY_REUSED`.
   */
  async consumeChallenge(
    challengeId: string,
    { signature, digest }: Proof,
    { signal, idempotencyKey = `step-up:${challengeId.toLowerCase()}` }: IdempotentCallOptions = {},
  ): Promise<ConsumedChallenge> {
    const answer = await this.#send({
      method: 'POST',
      path: `${CHALLENGES}/${segment(challengeId)}:consume`,
      body: { signature, digest },
      idempotencyKey,
      signal,
      repeatable: true,
    })
    return read(answer, ConsumedChallenge)
  }

  /**
   * Ends a challenge: nothing can be approved with it any more. Resolves too if it was cancelled before. For the client that opened
   * it. Needs no scope.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, `CHALLENGE_NOT_FOUND`, `CHALLENGE_ALREADY_CONSUMED`, `CHALLENGE_EXPIRED`,
   * `CHALLENGE_EXHAUSTED`.
   */
  async cancelChallenge(challengeId: string, { signal }: CallOptions = {}): Promise<void> {
    const path = `${CHALLENGES}/${segment(challengeId)}:cancel`
    expectNothing(await this.#send({ method: 'POST', path, signal, repeatable: true }))
  }

  /**
   * Stores a user in the directory, or replaces the entry. A changed address ends the user's open challenges. Needs the scope
   * `mfa:users:write`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, and `RESOURCE_UNKNOWN` if the service reads its users from another directory.
   */
  async putUser(
    userId: string,
    { email, locale, displayName }: DirectoryEntry,
    { signal }: CallOptions = {},
  ): Promise<User> {
    const path = `${USERS}/${segment(userId)}`
    const body = { email, locale, displayName }
    return read(await this.#send({ method: 'PUT', path, body, signal, repeatable: true }), User)
  }

  /**
   * Reads a user from the directory. Needs the scope `mfa:users:read`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`.
   *
   * @returns undefined if the directory has no such user.
   */
  async findUser(userId: string, { signal }: CallOptions = {}): Promise<User | undefined> {
    try {
      const path = `${USERS}/${segment(userId)}`
      return read(await this.#send({ method: 'GET', path, signal, repeatable: true }), User)
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'USER_NOT_FOUND') return undefined
      throw error
    }
  }

  /**
   * Erases a user from the directory, with every address that a code was mailed to, and ends the user's open challenges. Another
   * directory keeps its own entry. Resolves too if there was no such user. Needs the scope `mfa:users:write`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`.
   */
  async eraseUser(userId: string, { signal }: CallOptions = {}): Promise<void> {
    const path = `${USERS}/${segment(userId)}`
    expectNothing(await this.#send({ method: 'DELETE', path, signal, repeatable: true }))
  }

  /**
   * Allows mail again to an address that bounced or complained. Your mail provider may have a list of its own. Needs the scope
   * `mfa:users:write`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`.
   */
  async liftSuppression(userId: string, { signal }: CallOptions = {}): Promise<void> {
    const path = `${USERS}/${segment(userId)}/suppression`
    expectNothing(await this.#send({ method: 'DELETE', path, signal, repeatable: true }))
  }

  /**
   * Registers where this service gets the events of its challenges, or changes it, and returns its secret. From then on events are
   * stored for it. A repeat returns the same secret, and resumes paused deliveries. Needs the scope `mfa:webhooks:write`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN` for another client, `WEBHOOK_CONFIGURED`.
   *
   * @param clientId the client of the access token.
   */
  async putWebhook(
    clientId: string,
    { url }: WebhookDemand,
    { signal }: CallOptions = {},
  ): Promise<SharedWebhookEndpoint> {
    const path = webhookPath(clientId)
    const answer = await this.#send({ method: 'PUT', path, body: { url }, signal, repeatable: true })
    return read(answer, SharedWebhookEndpoint)
  }

  /**
   * Reads where this service gets its events, without the secret. Needs the scope `mfa:webhooks:write`.
   *
   * Codes: `FORBIDDEN`.
   *
   * @returns undefined if it has registered no endpoint.
   */
  async findWebhook(clientId: string, { signal }: CallOptions = {}): Promise<WebhookEndpoint | undefined> {
    try {
      const path = webhookPath(clientId)
      return read(await this.#send({ method: 'GET', path, signal, repeatable: true }), WebhookEndpoint)
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'WEBHOOK_NOT_FOUND') return undefined
      throw error
    }
  }

  /**
   * Removes the endpoint of this service. From then on no events are stored for it. Resolves too if there was none. Needs the scope
   * `mfa:webhooks:write`.
   *
   * Codes: `FORBIDDEN`, `WEBHOOK_CONFIGURED`.
   */
  async removeWebhook(clientId: string, { signal }: CallOptions = {}): Promise<void> {
    const path = webhookPath(clientId)
    expectNothing(await this.#send({ method: 'DELETE', path, signal, repeatable: true }))
  }

  /**
   * Makes a new secret, and returns it. Needs the scope `mfa:webhooks:write`. Never repeated by the client: a second rotation would end
   * the secret that is in use. If the answer is lost, ask `putWebhook` for the secret.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, `WEBHOOK_NOT_FOUND`.
   *
   * @param keepPrevious whether deliveries are also signed with the secret before. False if it has leaked. Default: true.
   */
  async rotateWebhookSecret(
    clientId: string,
    { keepPrevious = true, signal }: CallOptions & { readonly keepPrevious?: boolean } = {},
  ): Promise<SharedWebhookEndpoint> {
    const path = `${webhookPath(clientId)}:rotateSecret`
    const body = { keepPrevious }
    return read(
      await this.#send({ method: 'POST', path, body, signal, repeatable: false }),
      SharedWebhookEndpoint,
    )
  }

  /**
   * Reads the events of the challenges of this service after a cursor, whether or not they were sent. A service that was down reads
   * here what it missed. Needs the scope `mfa:events:read`.
   *
   * Codes: `BAD_REQUEST`, `FORBIDDEN`, `WEBHOOK_NOT_FOUND` if the service has registered no endpoint.
   */
  async readServiceEvents(
    { after, limit }: ServiceEventsQuery = {},
    { signal }: CallOptions = {},
  ): Promise<ServiceEventPage> {
    const query = new URLSearchParams()
    if (after !== undefined) query.set('after', String(after))
    if (limit !== undefined) query.set('limit', String(limit))
    const path = query.size > 0 ? `${EVENTS}?${query}` : EVENTS
    return read(await this.#send({ method: 'GET', path, signal, repeatable: true }), ServiceEventPage)
  }

  /**
   * Mails a code to the subject of the challenge, for a back end that has its users' access tokens. The new code replaces the one
   * before. The token has to be the subject's. Never repeated by the client.
   *
   * Codes: `BAD_REQUEST` (with `status` 429: too soon, or too many codes), `CHALLENGE_NOT_FOUND`, `FORBIDDEN` (after too many wrong
   * codes), `STEP_UP_REQUEST_CONTEXT_NOT_FOUND`, `USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID`, `USER_NOT_FOUND`.
   */
  async initiateEmail(challengeId: string, { accessToken, signal }: CallOfUserOptions): Promise<void> {
    const path = initiatePath(challengeId)
    expectNothing(await this.#send({ method: 'POST', path, accessToken, signal, repeatable: false }))
  }

  /**
   * Verifies the challenge with the code that the user entered, for a back end that has its users' access tokens. The token has to
   * be the subject's. Never repeated by the client, since a wrong code costs an attempt.
   *
   * Codes: `BAD_REQUEST`, `CHALLENGE_NOT_FOUND`, `FORBIDDEN` (after too many wrong codes), `INVALID_OTP` (with `guessesLeft`),
   * `STEP_UP_REQUEST_CONTEXT_NOT_FOUND`, `USER_ID_DOES_NOT_MATCH_WITH_CHALLENGE_SUBJECT_USER_ID`.
   */
  async verifyEmail(
    challengeId: string,
    totp: string,
    { accessToken, signal }: CallOfUserOptions,
  ): Promise<void> {
    const path = verifyPath(challengeId)
    expectNothing(
      await this.#send({ method: 'POST', path, body: { totp }, accessToken, signal, repeatable: false }),
    )
  }

  async #send(call: Call): Promise<FetchedText> {
    const retries = call.repeatable ? this.#retries : 0
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(call)
      } catch (error) {
        const pauseInMs = pauseAfter(error, attempt)
        if (attempt >= retries || pauseInMs === undefined) throw error
        await pause(pauseInMs, call.signal)
      }
    }
  }

  async #attempt(call: Call): Promise<FetchedText> {
    const { method, body, signal } = call
    signal?.throwIfAborted()
    const headers = await this.#headersOf(call)
    let answer: FetchedText
    try {
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
      answer = await boundedFetch(new URL(`${this.#base}${call.path}`), init, {
        timeoutInMs: this.#timeoutInMs,
        signal,
        fetch: this.#fetch,
      })
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof AnswerTooLong) {
        throw new CountersignError('UNEXPECTED', 'Countersign answered too much')
      }
      throw new CountersignError('UNREACHABLE', 'Countersign did not answer', { cause })
    }
    if (answer.status < 200 || answer.status >= 300) throw refusalOf(answer)
    return answer
  }

  async #headersOf({ idempotencyKey, body, accessToken, signal }: Call): Promise<Headers> {
    if (
      idempotencyKey !== undefined &&
      (!VISIBLE_ASCII.test(idempotencyKey) || idempotencyKey.length > 255)
    ) {
      throw new TypeError('an idempotency key is 1 to 255 visible ASCII characters')
    }
    const token = accessToken ?? (await this.#ownToken(signal))
    // The error of `Headers` would quote a token that it rejects.
    if (!VISIBLE_ASCII.test(token)) {
      throw new CountersignError('TOKEN_UNAVAILABLE', 'The access token cannot be sent')
    }
    return new Headers({
      Accept: 'application/json',
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'plmr-idempotency-key': idempotencyKey }),
    })
  }

  async #ownToken(signal: AbortSignal | undefined): Promise<string> {
    const ended = new AbortController()
    try {
      const late = wait(this.#timeoutInMs, undefined, {
        signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
      }).then(() => Promise.reject(new Error('The source of access tokens did not answer in time')))
      return await Promise.race([(async () => this.#accessToken())(), late])
    } catch (cause) {
      signal?.throwIfAborted()
      throw new CountersignError('TOKEN_UNAVAILABLE', 'There is no access token for Countersign', { cause })
    } finally {
      ended.abort()
    }
  }
}

/** The paths that the user's app calls about a challenge: those that `openChallenge` returns. */
export function methodsOf(challengeId: string): OpenedChallenge['methods'] {
  return [{ type: 'totp-email', initiate: initiatePath(challengeId), verify: verifyPath(challengeId) }]
}

function initiatePath(challengeId: string): string {
  return `${TOTP_EMAIL}/${segment(challengeId)}:initiate`
}

function webhookPath(clientId: string): string {
  return `${WEBHOOKS}/${segment(clientId)}`
}

function verifyPath(challengeId: string): string {
  return `${TOTP_EMAIL}/${segment(challengeId)}:verify`
}

/** Encodes an id as one segment of a path. @throws {TypeError} if that is impossible: `..` would name another path. */
function segment(id: string): string {
  if (id === '' || id === '.' || id === '..' || !id.isWellFormed()) {
    throw new TypeError('this id cannot be part of a path')
  }
  return encodeURIComponent(id)
}

function read<Body>({ status, headers, text }: FetchedText, body: z.ZodType<Body>): Body {
  const parsed = body.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw unexpected(status, headers)
}

function expectNothing({ status, headers }: FetchedText): void {
  if (status !== 204) throw unexpected(status, headers)
}

function unexpected(status: number, headers: Headers): CountersignError {
  return new CountersignError('UNEXPECTED', 'Countersign answered something else', {
    status,
    requestId: headers.get('X-Request-ID') ?? undefined,
    retryAfterInSeconds: retryAfterIn(headers),
  })
}

function refusalOf({ status, headers, text }: FetchedText): CountersignError {
  const { success, data } = ErrorBody.safeParse(jsonOf(text))
  if (!success) return unexpected(status, headers)
  return new CountersignError(known(ANSWERED_CODES, data.code), 'Countersign refused', {
    status,
    requestId: data.requestId,
    fieldErrors: data.fieldErrors.map(({ code, field }) => ({ code: known(FIELD_CODES, code), field })),
    retryAfterInSeconds: retryAfterIn(headers),
    guessesLeft: guessesLeftIn(headers),
  })
}

function known<Code extends string>(codes: readonly Code[], urn: string): Code | 'UNEXPECTED' {
  const code = urn.slice(urn.lastIndexOf(':') + 1)
  return codes.find((one) => one === code) ?? 'UNEXPECTED'
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The header has seconds or an HTTP date (RFC 9110 §10.2.3). */
function retryAfterIn(headers: Headers): number | undefined {
  const value = headers.get('Retry-After')
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const seconds = Math.ceil((Date.parse(value) - Date.now()) / 1000)
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

function guessesLeftIn(headers: Headers): number | undefined {
  const left = /^"totp";r=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1]
  return left === undefined ? undefined : Number(left)
}

/** How long to wait before another attempt. Undefined if one cannot help, or not soon. */
function pauseAfter(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof CountersignError)) return undefined
  const { code, status, retryAfterInSeconds = 0 } = error
  if (code !== 'UNREACHABLE' && !RETRYABLE_STATUSES.includes(status)) return undefined

  const maxJitterInMs = Math.min(FIRST_PAUSE_IN_MS * 2 ** attempt, MAX_PAUSE_IN_MS)
  // Spread the attempts of callers that failed at the same time.
  const pauseInMs = retryAfterInSeconds * 1000 + Math.random() * maxJitterInMs
  return retryAfterInSeconds * 1000 > MAX_PAUSE_IN_MS ? undefined : pauseInMs
}

async function pause(inMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(inMs, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

export type {
  Challenge,
  CloudEvent,
  ConsumedChallenge,
  Issuance,
  OpenedChallenge,
  ServiceEventPage,
  SharedWebhookEndpoint,
  SummaryLine,
  User,
  VerificationMethod,
  WebhookEndpoint,
} from './answers.ts'
export { type Authorisation, AuthorisationRefused, verifyAuthorisation } from './authorisation.ts'
export { type ClientCredentials, clientCredentials } from './client-credentials.ts'
export {
  CountersignError,
  type CountersignErrorCode,
  type CountersignErrorDetails,
  type FieldError,
} from './countersign-error.ts'
export type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
export { OperationNotCanonical, operationDigest } from './operation-digest.ts'
export {
  EXECUTIONS_TABLE,
  type PostgresClient,
  PostgresExecutions,
  type PostgresExecutionsOptions,
} from './postgres-executions.ts'
export { summaryDigest } from './summary-digest.ts'
