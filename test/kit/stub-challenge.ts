/** As much of the service as a dialog sees of it, with the answers that a test wants. */
export class StubChallenge {
  challengeId = 'c1'
  status = 'pending'
  attemptsRemaining = 5
  summary = [
    { label: 'Amount', value: 'EUR 1,250.00' },
    { label: 'To', value: 'ACME GmbH, DE89 3704 0044 0532 0130 00' },
  ]
  /** Undefined: the client has none of its own, or the service is old. */
  brand: { name: string; color: string; textColor: string; logoUrl: string | null } | undefined
  issuance: Record<string, unknown> | null = null
  expiresInSeconds = 900
  cooldownInSeconds: number | null = 30
  delivery = 'sent'
  delayedAt: string | undefined
  /** Undefined: an old service, which does not say it. */
  codeDigits: number | undefined = 6
  /** The access token that the service accepts. */
  token = 'token-of-alice'
  codeLifetimeInSeconds = 300
  readonly code = '042917'
  /** Of each call: method and the part of the path that says what it does. */
  readonly calls: string[] = []
  /** The codes that the service was given. */
  readonly given: string[] = []
  /** Answers instead of the usual one, the next call of that kind first. */
  readonly refusals = new Map<string, StubAnswer[]>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  refuse(call: string, status: number, code: string, headers: Record<string, string> = {}): void {
    this.refusals.set(call, [...(this.refusals.get(call) ?? []), error(status, code, headers)])
  }

  answer(method: string, path: string, body: string | null): StubAnswer {
    const call = /:(\w+)$/.exec(path)?.[1] ?? method
    this.calls.push(call)
    const refusal = this.refusals.get(call)?.shift()
    if (refusal) return refusal
    switch (call) {
      case 'GET':
        return { status: 200, body: this.#view() }
      case 'initiate':
        this.#issue()
        return { status: 204 }
      case 'verify':
        return this.#verify(body)
      case 'cancel':
        this.status = 'cancelled'
        return { status: 204 }
      default:
        return error(404, 'RESOURCE_UNKNOWN')
    }
  }

  #issue(): void {
    const number = this.calls.filter((call) => call === 'initiate').length
    this.issuance = {
      reference: ['QK', 'RL', 'SM'][(number - 1) % 3],
      recipient: 'a•••@example.com',
      issuedAt: this.#instant(0),
      expiresAt: this.#instant(this.codeLifetimeInSeconds),
      ...(this.codeDigits !== undefined && { codeDigits: this.codeDigits }),
      resendAvailableAt: this.cooldownInSeconds === null ? null : this.#instant(this.cooldownInSeconds),
    }
  }

  #verify(body: string | null): StubAnswer {
    const { totp } = JSON.parse(body ?? '{}')
    this.given.push(totp)
    if (totp === this.code) {
      this.status = 'verified'
      return { status: 204 }
    }
    this.attemptsRemaining--
    if (this.attemptsRemaining === 0) this.status = 'exhausted'
    return error(400, 'INVALID_OTP', { RateLimit: `"totp";r=${this.attemptsRemaining};t=600` })
  }

  #view() {
    return {
      challengeId: this.challengeId,
      status: this.status,
      subjectUserId: 'alice',
      operation: { type: 'payments.initiate', summary: this.summary },
      createdAt: this.#instant(0),
      expiresAt: this.#instant(this.expiresInSeconds),
      attemptsRemaining: this.attemptsRemaining,
      ...(this.brand && { brand: this.brand }),
      issuance: this.issuance && { ...this.issuance, delivery: this.delivery, delayedAt: this.delayedAt },
    }
  }

  #instant(inSeconds: number): string {
    return new Date(this.#now() + inSeconds * 1000).toISOString()
  }
}

interface StubAnswer {
  /** 0: there is no network. */
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** In the place of a body. */
  readonly text?: string
}

function error(status: number, code: string, headers: Record<string, string> = {}): StubAnswer {
  return { status, headers, body: { code: `urn:plmr:mfa-totp:api:${code}`, message: code, requestId: 'r' } }
}
