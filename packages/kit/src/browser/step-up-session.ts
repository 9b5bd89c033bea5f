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
  /** The newest code; null before the first. */
  readonly issuance: {
    /** The two letters that also stand in the mail. */
    readonly reference: string
    /** Masked, as in a•••@example.com. */
    readonly recipient: string
    readonly expiresAt: string
    /** When another code may be asked for; null if never again for this challenge. */
    readonly resendAvailableAt: string | null
    readonly delivery: 'queued' | 'sent' | 'delivered' | 'bounced' | 'failed'
  } | null
}

/** Why the service did not do what it was asked for, in terms of what the user can do about it. */
export type Refusal =
  | { readonly reason: 'wrong-code'; readonly guessesLeft: number | undefined }
  /** There was no code in the field. */
  | { readonly reason: 'no-code' }
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
  /** The URL of the service as the browser sees it. Default: the origin of the page. */
  readonly baseUrl?: string
  /** Returns the user's access token. Called before each call. */
  readonly accessToken: () => string | Promise<string>
  /** The time that one call may take, in milliseconds. Default: 10,000. */
  readonly timeoutInMs?: number
}

/** The calls of one user about one challenge. None of them throws: what was refused is told. */
export class StepUpSession {
  readonly #options: StepUpSessionOptions
  /** How far the clock of the service is ahead of this device's, in milliseconds, by its latest answer. */
  #clockOffsetInMs = 0

  constructor(options: StepUpSessionOptions) {
    this.#options = options
  }

  /** Seconds, rounded up, from now until an instant of the service, and 0 if it has passed. */
  secondsUntil(instant: string): number {
    const now = Date.now() + this.#clockOffsetInMs
    return Math.max(0, Math.ceil((Date.parse(instant) - now) / 1000))
  }

  /** How the challenge stands. */
  async inspect(): Promise<ChallengeView | Refusal> {
    const answer = await this.#call('GET', `challenges/${this.#options.challengeId}`)
    return answer instanceof Response ? await viewIn(answer) : answer
  }

  /** Has a code sent, which ends the one before it. */
  initiate(): Promise<Refusal | undefined> {
    return this.#command(`totp-email/${this.#options.challengeId}:initiate`)
  }

  /** Gives the code. Undefined: it was right, and the challenge is verified. */
  async verify(code: string): Promise<Refusal | undefined> {
    if (code.trim() === '') return { reason: 'no-code' }
    return this.#command(`totp-email/${this.#options.challengeId}:verify`, { totp: code })
  }

  /** Ends the challenge: nothing can be countersigned by it any more. */
  cancel(): Promise<Refusal | undefined> {
    return this.#command(`challenges/${this.#options.challengeId}:cancel`)
  }

  async #command(path: string, body?: object): Promise<Refusal | undefined> {
    const answer = await this.#call('POST', path, body)
    return answer instanceof Response ? undefined : answer
  }

  async #call(method: 'GET' | 'POST', path: string, body?: object): Promise<Response | Refusal> {
    const { baseUrl = '', accessToken, timeoutInMs = 10_000 } = this.#options
    try {
      const response = await fetch(`${baseUrl}/internal/v1/mfa/${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${await accessToken()}`,
          ...(body && { 'Content-Type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        cache: 'no-store',
        // The token goes where it was meant to go, and nowhere else.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutInMs),
      })
      this.#heedClock(response.headers.get('Date'))
      return response.ok ? response : await refusalIn(response)
    } catch {
      return { reason: 'unavailable' }
    }
  }

  /** Of whole seconds, and seen from other origins only if the service lets it: good enough for a countdown. */
  #heedClock(date: string | null): void {
    const told = Date.parse(date ?? '')
    if (Number.isNaN(told)) return
    const offset = told - Date.now()
    this.#clockOffsetInMs = Math.abs(offset) < 2000 ? 0 : offset
  }
}

async function viewIn(response: Response): Promise<ChallengeView | Refusal> {
  try {
    return (await response.json()) as ChallengeView
  } catch {
    return { reason: 'unavailable' }
  }
}

async function refusalIn(response: Response): Promise<Refusal> {
  const retryAfterInSeconds = Number(response.headers.get('Retry-After') ?? 0)
  const code = await shortCodeIn(response)
  if (response.status >= 500) return { reason: 'unavailable' }
  if (response.status === 401) return { reason: 'signed-out' }
  if (response.status === 429) return { reason: 'too-soon', retryAfterInSeconds }
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
