import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { Challenge, ConsumedChallenge, ErrorBody, OpenedChallenge, User } from './answers.ts'
import { AnswerTooLong, boundedFetch } from './bounded-fetch.ts'
import { ANSWERED_CODES, CountersignError, FIELD_CODES } from './countersign-error.ts'

const CHALLENGES = '/internal/v1/mfa/challenges'
const USERS = '/internal/v1/mfa/users'
const TOTP_EMAIL = '/internal/v1/mfa/totp-email'
const WORTH_ANOTHER_TRY = [429, 502, 503, 504]
const FIRST_PAUSE_IN_MS = 100
/** Whoever is told to wait longer than this is told, rather than kept. */
const LONGEST_PAUSE_IN_MS = 5000
const VISIBLE_ASCII = /^[\x21-\x7e]+$/
/**
 * The calls of an operation service, and of a back end that calls for its user.
 *
 * Every call rejects with a `CountersignError`, a signal's reason, or a `TypeError` for an argument that cannot be sent. It is sent
 * again, under the same idempotency key, when there was no answer or one of 429, 502, 503 and 504; what would cost the user a guess
 * or a mail is not.
 */
export class CountersignClient {
  #base
  #accessToken
  #timeoutInMs
  #retries
  #fetch
  /** @throws {TypeError} if the base URL is none, or has more than a path. */
  constructor({ baseUrl, accessToken, timeoutInMs = 5000, retries = 2, fetch }) {
    const { protocol, origin, pathname, search, hash, username } = new URL(baseUrl)
    if (!/^https?:$/.test(protocol) || search || hash || username) {
      throw new TypeError('baseUrl must be an http(s) URL without credentials, query and fragment')
    }
    this.#base = `${origin}${pathname.replace(/\/+$/, '')}`
    this.#accessToken = accessToken
    this.#timeoutInMs = timeoutInMs
    this.#retries = retries
    this.#fetch = fetch
  }
  /** Where the keys are that authorisations are signed with. */
  get jwksUrl() {
    return new URL(`${this.#base}/.well-known/jwks.json`)
  }
  /** `created` is false if the same call opened it before. */
  async openChallenge(demand, { signal, idempotencyKey = randomUUID() } = {}) {
    const { subjectUserId, operation, expiresInSeconds } = demand
    const { type, digest, summary } = operation
    const answer = await this.#ask({
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
  async inspectChallenge(challengeId, { signal } = {}) {
    const path = `${CHALLENGES}/${segment(challengeId)}`
    return read(await this.#ask({ method: 'GET', path, signal, repeatable: true }), Challenge)
  }
  /** The key follows from the challenge unless there is one, so that whoever died in the midst of it can just call again. */
  async consumeChallenge(
    challengeId,
    { signature, digest },
    { signal, idempotencyKey = `step-up:${challengeId}` } = {},
  ) {
    const answer = await this.#ask({
      method: 'POST',
      path: `${CHALLENGES}/${segment(challengeId)}:consume`,
      body: { signature, digest },
      idempotencyKey,
      signal,
      repeatable: true,
    })
    return read(answer, ConsumedChallenge)
  }
  async cancelChallenge(challengeId, { signal } = {}) {
    const path = `${CHALLENGES}/${segment(challengeId)}:cancel`
    expectNothing(await this.#ask({ method: 'POST', path, signal, repeatable: true }))
  }
  async putUser(userId, { email, locale, displayName }, { signal } = {}) {
    const path = `${USERS}/${segment(userId)}`
    const body = { email, locale, displayName }
    return read(await this.#ask({ method: 'PUT', path, body, signal, repeatable: true }), User)
  }
  async findUser(userId, { signal } = {}) {
    try {
      const path = `${USERS}/${segment(userId)}`
      return read(await this.#ask({ method: 'GET', path, signal, repeatable: true }), User)
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'USER_NOT_FOUND') return undefined
      throw error
    }
  }
  async eraseUser(userId, { signal } = {}) {
    const path = `${USERS}/${segment(userId)}`
    expectNothing(await this.#ask({ method: 'DELETE', path, signal, repeatable: true }))
  }
  async liftSuppression(userId, { signal } = {}) {
    const path = `${USERS}/${segment(userId)}/suppression`
    expectNothing(await this.#ask({ method: 'DELETE', path, signal, repeatable: true }))
  }
  /** For a back end that holds the tokens of its users: has a code mailed. Sent once. */
  async initiateEmail(challengeId, { accessToken, signal }) {
    const path = initiatePath(challengeId)
    expectNothing(await this.#ask({ method: 'POST', path, accessToken, signal, repeatable: false }))
  }
  /** For a back end that holds the tokens of its users: gives the code. Sent once, since a wrong code costs an attempt. */
  async verifyEmail(challengeId, totp, { accessToken, signal }) {
    const path = verifyPath(challengeId)
    expectNothing(
      await this.#ask({ method: 'POST', path, body: { totp }, accessToken, signal, repeatable: false }),
    )
  }
  async #ask(ask) {
    const retries = ask.repeatable ? this.#retries : 0
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(ask)
      } catch (error) {
        const pauseInMs = pauseAfter(error, attempt)
        if (attempt >= retries || pauseInMs === undefined) throw error
        await pause(pauseInMs, ask.signal)
      }
    }
  }
  async #attempt(ask) {
    const { method, body, signal } = ask
    signal?.throwIfAborted()
    const headers = await this.#headersOf(ask)
    let answer
    try {
      const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
      answer = await boundedFetch(new URL(`${this.#base}${ask.path}`), init, {
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
  async #headersOf({ idempotencyKey, body, accessToken, signal }) {
    if (
      idempotencyKey !== undefined &&
      (!VISIBLE_ASCII.test(idempotencyKey) || idempotencyKey.length > 255)
    ) {
      throw new TypeError('an idempotency key is 1 to 255 visible ASCII characters')
    }
    const token = accessToken ?? (await this.#ownToken(signal))
    // `Headers` would quote a token that it does not take.
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
  async #ownToken(signal) {
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
/** The paths that the user's app calls about a challenge, as the service tells them when it is opened. */
export function methodsOf(challengeId) {
  return [{ type: 'totp-email', initiate: initiatePath(challengeId), verify: verifyPath(challengeId) }]
}
function initiatePath(challengeId) {
  return `${TOTP_EMAIL}/${segment(challengeId)}:initiate`
}
function verifyPath(challengeId) {
  return `${TOTP_EMAIL}/${segment(challengeId)}:verify`
}
/** @throws {TypeError} for what a URL cannot carry in one segment: `..` would be a call about something else. */
function segment(id) {
  if (id === '' || id === '.' || id === '..' || !id.isWellFormed()) {
    throw new TypeError('this id cannot be part of a path')
  }
  return encodeURIComponent(id)
}
function read({ status, headers, text }, body) {
  const parsed = body.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw unexpected(status, headers)
}
function expectNothing({ status, headers }) {
  if (status !== 204) throw unexpected(status, headers)
}
function unexpected(status, headers) {
  return new CountersignError('UNEXPECTED', 'Countersign answered something else', {
    status,
    requestId: headers.get('X-Request-ID') ?? undefined,
    retryAfterInSeconds: retryAfterIn(headers),
  })
}
function refusalOf({ status, headers, text }) {
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
function known(codes, urn) {
  const code = urn.slice(urn.lastIndexOf(':') + 1)
  return codes.find((one) => one === code) ?? 'UNEXPECTED'
}
function jsonOf(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
/** Seconds, or a date of HTTP (RFC 9110 §10.2.3). */
function retryAfterIn(headers) {
  const value = headers.get('Retry-After')
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  const seconds = Math.ceil((Date.parse(value) - Date.now()) / 1000)
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
function guessesLeftIn(headers) {
  const left = /^"totp";r=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1]
  return left === undefined ? undefined : Number(left)
}
/** Undefined if another attempt would be no better, or not soon. */
function pauseAfter(error, attempt) {
  if (!(error instanceof CountersignError)) return undefined
  const { code, status, retryAfterInSeconds = 0 } = error
  if (code !== 'UNREACHABLE' && !WORTH_ANOTHER_TRY.includes(status)) return undefined
  const longest = Math.min(FIRST_PAUSE_IN_MS * 2 ** attempt, LONGEST_PAUSE_IN_MS)
  // Callers that failed together shall not come back together.
  const pauseInMs = retryAfterInSeconds * 1000 + Math.random() * longest
  return retryAfterInSeconds * 1000 > LONGEST_PAUSE_IN_MS ? undefined : pauseInMs
}
async function pause(inMs, signal) {
  try {
    await wait(inMs, undefined, signal ? { signal } : {})
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

export { AuthorisationRefused, verifyAuthorisation } from './authorisation.ts'
export { clientCredentials } from './client-credentials.ts'
export { CountersignError } from './countersign-error.ts'
export { OperationNotCanonical, operationDigest } from './operation-digest.ts'
