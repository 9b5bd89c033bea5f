import { codeIn, codeLength, normalised } from './typed-code.ts'

/** A challenge as the service tells it to its subject. */
export interface ChallengeView {
  readonly challengeId: string
  readonly status: 'pending' | 'verified' | 'consumed' | 'expired' | 'exhausted' | 'cancelled'
  readonly operation: {
    readonly type: string
    readonly summary: readonly { readonly label: string; readonly value: string }[]
  }
  /** ISO 8601, like all times here. */
  readonly expiresAt: string
  readonly attemptsRemaining: number
  /** Whose challenge it is. Absent if the client has no brand of its own, and from an older service. */
  readonly brand?: {
    readonly name: string
    /** `#rrggbb`, as is the next. */
    readonly color: string
    /** Black or white, whichever is easier to read on the colour. */
    readonly textColor: string
    /** An https URL of a picture that stands on the colour in place of the name. */
    readonly logoUrl: string | null
  }
  /** The newest code; null before the first. */
  readonly issuance: {
    /** The two letters that also stand in the mail. */
    readonly reference: string
    /** Masked, as in a•••@example.com. */
    readonly recipient: string
    readonly issuedAt: string
    /** The code is rejected from this time on. */
    readonly expiresAt: string
    /** When another code may be asked for; null if never again for this challenge. */
    readonly resendAvailableAt: string | null
    /** How many digits the code has. Absent from a service that is older than this module. */
    readonly codeDigits?: number
    readonly delivery: 'queued' | 'sent' | 'delivered' | 'bounced' | 'failed'
    /** When the mail system reported that the mail waits. Absent if it did not, and from an older service. */
    readonly delayedAt?: string
  } | null
}

/** Why the service did not do what it was asked for, in terms of what the user can do about it. */
export type Refusal =
  | { readonly reason: 'wrong-code'; readonly guessesLeft: number | undefined }
  /** There was no code in the field. The service was not asked. */
  | { readonly reason: 'no-code' }
  /** What was in the field cannot be a code. The service was not asked. */
  | { readonly reason: 'not-a-code' }
  /** The newest code has ended. The service was not asked. */
  | { readonly reason: 'code-expired' }
  /** Verified, expired, used up or cancelled: look at the challenge for which. */
  | { readonly reason: 'over' }
  | { readonly reason: 'too-soon' | 'locked'; readonly retryAfterInSeconds: number }
  | { readonly reason: 'no-address' }
  | { readonly reason: 'signed-out' }
  | { readonly reason: 'not-found' }
  /** The network, the service or what it runs on: worth another try. */
  | { readonly reason: 'unavailable' }

/** Which challenge, and how to call the service about it. */
export interface StepUpSessionOptions {
  /** The `challengeId` of the answer `STEP_UP_REQUIRED`. */
  readonly challengeId: string
  /** The URL of the service as the browser sees it: https, or http on this machine or the page's own. Default: the page's own origin. */
  readonly baseUrl?: string
  /**
   * Returns the user's access token. Called before each call, and once more if the service refuses the token: a function that renews
   * a token is worth another try.
   */
  readonly accessToken: () => string | Promise<string>
  /** The time that one call may take, in milliseconds. Default: 10,000. */
  readonly timeoutInMs?: number
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** The calls of one user about one challenge. None of them throws: each returns why it was refused. */
export class StepUpSession {
  readonly #options: StepUpSessionOptions
  /** How far the clock of the service is ahead of this device's, in milliseconds, by its latest answer. */
  #clockOffsetInMs = 0
  /** Whether the service lets the page see its clock. */
  #seesClock = false
  /** When the service sent the newest code that this session asked for, by the clock of this device. */
  #sentAt: number | undefined
  /** The newest code, as of the latest look. */
  #issuance: ChallengeView['issuance'] = null
  /** What the service has refused as the newest code, with the guesses that were left after it. */
  readonly #refused = new Map<string, number | undefined>()
  readonly #ended = new AbortController()
  /** How many calls have begun. */
  #calls = 0
  /** The number of the latest command, or of the latest look that was heeded. An answer to a call before it is out of date. */
  #heeded = 0
  /** The latest look that was heeded. */
  #view: ChallengeView | undefined

  /** @throws {TypeError} if the URL is not valid, or plain HTTP to another machine than the page's: it would get the access token. */
  constructor(options: StepUpSessionOptions) {
    const { protocol, hostname, origin } = new URL(options.baseUrl ?? '', location.href)
    if (protocol === 'http:' && origin !== location.origin && !LOOPBACK.test(hostname)) {
      throw new TypeError('baseUrl must be an https URL: only this machine may be called over plain HTTP')
    }
    this.#options = options
  }

  /** Seconds, rounded up, from now until an instant of the service, and 0 if it has passed. */
  secondsUntil(instant: string): number {
    const now = Date.now() + this.#clockOffsetInMs
    return Math.max(0, Math.ceil((Date.parse(instant) - now) / 1000))
  }

  /** Ends the session, when nobody waits for it any more. Calls under way are given up, and no further call is sent. */
  end(): void {
    this.#ended.abort()
  }

  /** How the challenge stands. An answer that a later one has overtaken is replaced by that one. */
  async inspect(): Promise<ChallengeView | Refusal> {
    const { challengeId } = this.#options
    const call = ++this.#calls
    const answer = await this.#call('GET', `challenges/${challengeId}`)
    const seen = answer instanceof Response ? await viewIn(answer, challengeId) : answer
    if (!('status' in seen)) return seen
    if (this.#view && call < this.#heeded) return this.#view
    this.#heeded = Math.max(this.#heeded, call)
    this.#view = seen
    this.#heedIssuance(seen.issuance)
    return seen
  }

  /** Has a code sent, which ends the one before it. */
  async initiate(): Promise<Refusal | undefined> {
    const refusal = await this.#command(`totp-email/${this.#options.challengeId}:initiate`)
    if (!refusal) this.#sentAt = Date.now()
    return refusal
  }

  /** The code in a text, by what the latest look says of the code. Undefined if nothing in it, or too much, can be one. */
  codeIn(text: string): string | undefined {
    return codeIn(text, this.codeLength)
  }

  /** How many digits a code has, by the latest look. */
  get codeLength(): { readonly min: number; readonly max: number } {
    return codeLength(this.#issuance?.codeDigits)
  }

  /** Gives the code that is in a text. Undefined: it was right, and the challenge is verified. */
  async verify(text: string): Promise<Refusal | undefined> {
    if (normalised(text) === '') return { reason: 'no-code' }
    const totp = this.codeIn(text)
    if (totp === undefined) return { reason: 'not-a-code' }
    if (this.#issuance && this.secondsUntil(this.#issuance.expiresAt) === 0) return { reason: 'code-expired' }
    // The same wrong code again is no better, and would cost a guess.
    if (this.#refused.has(totp))
      return { reason: 'wrong-code', guessesLeft: [...this.#refused.values()].at(-1) }
    const refusal = await this.#command(`totp-email/${this.#options.challengeId}:verify`, { totp })
    if (this.#issuance && refusal?.reason === 'wrong-code') this.#refused.set(totp, refusal.guessesLeft)
    return refusal
  }

  /** Ends the challenge: nothing can be countersigned by it any more. */
  cancel(): Promise<Refusal | undefined> {
    return this.#command(`challenges/${this.#options.challengeId}:cancel`)
  }

  async #command(path: string, body?: object): Promise<Refusal | undefined> {
    this.#heeded = ++this.#calls
    const answer = await this.#call('POST', path, body)
    return answer instanceof Response ? undefined : answer
  }

  async #call(method: 'GET' | 'POST', path: string, body?: object): Promise<Response | Refusal> {
    const { accessToken, timeoutInMs = 10_000 } = this.#options
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutInMs), this.#ended.signal])
    try {
      const token = await tokenOf(accessToken, signal)
      if (token === undefined) return { reason: 'signed-out' }
      let response = await this.#fetch(method, path, body, token, signal)
      if (response.status === 401) {
        // The service refuses a token before it does anything, so the same call again has no second effect.
        const renewed = await tokenOf(accessToken, signal)
        if (renewed !== undefined && renewed !== token) {
          response = await this.#fetch(method, path, body, renewed, signal)
        }
      }
      this.#heedClock(response.headers.get('Date'))
      return response.ok ? response : await refusalIn(response)
    } catch {
      return { reason: 'unavailable' }
    }
  }

  #fetch(
    method: 'GET' | 'POST',
    path: string,
    body: object | undefined,
    token: string,
    signal: AbortSignal,
  ): Promise<Response> {
    return fetch(`${this.#options.baseUrl ?? ''}/internal/v1/mfa/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      cache: 'no-store',
      // The token goes where it was meant to go, and nowhere else.
      redirect: 'error',
      signal,
    })
  }

  /** It has whole seconds, and other origins see it only if the service lets them: good enough for a countdown. */
  #heedClock(date: string | null): void {
    const told = Date.parse(date ?? '')
    if (Number.isNaN(told)) return
    this.#seesClock = true
    this.#setClock(told - Date.now())
  }

  /**
   * A page that cannot see the clock of the service learns it from a code that it asked for. Otherwise a device whose clock is fast
   * would never take a code that still counts.
   */
  #heedIssuance(issuance: ChallengeView['issuance']): void {
    if (issuance?.issuedAt !== this.#issuance?.issuedAt) this.#refused.clear()
    this.#issuance = issuance
    if (!issuance || this.#sentAt === undefined) return
    if (!this.#seesClock) this.#setClock(Date.parse(issuance.issuedAt) - this.#sentAt)
    this.#sentAt = undefined
  }

  #setClock(offsetInMs: number): void {
    if (!Number.isNaN(offsetInMs)) this.#clockOffsetInMs = Math.abs(offsetInMs) < 2000 ? 0 : offsetInMs
  }
}

/** Undefined if the user has to sign in. @throws {Error} if that does not show in time. */
async function tokenOf(
  accessToken: StepUpSessionOptions['accessToken'],
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted()
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('The access token did not come in time'))),
  )
  const token = (async () => accessToken())().catch(() => undefined)
  return (await Promise.race([token, late])) || undefined
}

async function viewIn(response: Response, challengeId: string): Promise<ChallengeView | Refusal> {
  try {
    const view = (await response.json()) as ChallengeView
    // A portal, a proxy or a cache may answer in the place of the service.
    const isAsked = view.challengeId.toLowerCase() === challengeId.toLowerCase()
    return isAsked && Array.isArray(view.operation.summary) && view.status && view.expiresAt
      ? view
      : { reason: 'unavailable' }
  } catch {
    return { reason: 'unavailable' }
  }
}

/** For a proxy that asks for patience, and does not say how long. */
const UNSAID_WAIT = 30

async function refusalIn(response: Response): Promise<Refusal> {
  const retryAfterInSeconds = retryAfterIn(response.headers.get('Retry-After'))
  const code = await shortCodeIn(response)
  if (response.status >= 500) return { reason: 'unavailable' }
  if (response.status === 401) return { reason: 'signed-out' }
  if (response.status === 429)
    return { reason: 'too-soon', retryAfterInSeconds: retryAfterInSeconds || UNSAID_WAIT }
  if (response.status === 403 && retryAfterInSeconds > 0) return { reason: 'locked', retryAfterInSeconds }
  switch (code) {
    case 'INVALID_OTP':
      return { reason: 'wrong-code', guessesLeft: guessesLeftIn(response.headers.get('RateLimit')) }
    case 'USER_NOT_FOUND':
      return { reason: 'no-address' }
    case 'STEP_UP_REQUEST_CONTEXT_NOT_FOUND':
    case 'CHALLENGE_ALREADY_CONSUMED':
    case 'CHALLENGE_EXPIRED':
    case 'CHALLENGE_EXHAUSTED':
    case 'CHALLENGE_CANCELLED':
      return { reason: 'over' }
    default:
      return { reason: 'not-found' }
  }
}

/** The last part of a code such as urn:plmr:mfa-totp:api:INVALID_OTP. */
async function shortCodeIn(response: Response): Promise<string | undefined> {
  try {
    const { code } = (await response.json()) as { code?: unknown }
    return typeof code === 'string' ? code.slice(code.lastIndexOf(':') + 1) : undefined
  } catch {
    return undefined
  }
}

/** `r` of the header RateLimit, as in "totp";r=4;t=600. */
function guessesLeftIn(rateLimit: string | null): number | undefined {
  const found = /;\s*r=(\d+)/.exec(rateLimit ?? '')?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Seconds, from seconds or a date of HTTP (RFC 9110 section 10.2.3). 0 without a header. */
function retryAfterIn(value: string | null): number {
  if (value === null) return 0
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000)
  return seconds > 0 ? seconds : 0
}
