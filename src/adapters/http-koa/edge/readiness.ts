import type { HealthCheck } from '../../../contracts/health-check.ts'

/** As long as an answer is worth: several probes a second cost one look. */
const FRESH_FOR_IN_MS = 1000
/** Long enough for a process that is busy, or it would be taken out when it is needed most; and then an answer that says what hangs. */
const TIMEOUT_IN_MS = 5000

export interface ReadinessReport {
  readonly ready: boolean
  /** `ok` or what is wrong, by the name of the check. */
  readonly checks: Readonly<Record<string, string>>
}

/** Whether this process should be sent requests: it is not about to end, and all that it needs is well. */
export class Readiness {
  readonly #checks: readonly HealthCheck[]
  readonly #timeoutInMs: number
  readonly #freshForInMs: number
  readonly #now: () => number
  readonly #underWay = new Map<HealthCheck, Promise<string>>()
  #report: { readonly of: Promise<ReadinessReport>; readonly freshUntil: number } | undefined
  #ending = false

  /** @param now milliseconds of a clock that never goes back. */
  constructor(
    checks: readonly HealthCheck[],
    { timeoutInMs = TIMEOUT_IN_MS, freshForInMs = FRESH_FOR_IN_MS, now = () => performance.now() } = {},
  ) {
    this.#checks = checks
    this.#timeoutInMs = timeoutInMs
    this.#freshForInMs = freshForInMs
    this.#now = now
  }

  /** Looks, unless somebody is looking or has done so within the last second. In bounded time, whatever the checks do. */
  async report(): Promise<ReadinessReport> {
    if (!this.#ending && !(this.#report && this.#now() < this.#report.freshUntil)) {
      // Fresh for as long as it takes, and then from its end.
      const of = this.#look()
      this.#report = { of, freshUntil: Number.POSITIVE_INFINITY }
      void of.then(() => {
        this.#report = { of, freshUntil: this.#now() + this.#freshForInMs }
      })
    }
    const report = await this.#report?.of
    // Asked once more: the end may have come meanwhile.
    return this.#ending ? { ready: false, checks: { ...report?.checks, process: 'it is stopping' } } : report!
  }

  /** From now on it is not ready, at once. */
  end(): void {
    this.#ending = true
  }

  async #look(): Promise<ReadinessReport> {
    const results = await Promise.all(
      this.#checks.map(async (check) => [check.name, await this.#resultOf(check)] as const),
    )
    return { ready: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) }
  }

  async #resultOf(check: HealthCheck): Promise<string> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, this.#timeoutInMs, `no answer within ${this.#timeoutInMs} ms`)
    })
    try {
      return await Promise.race([this.#ask(check), timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  /** One that hangs is not asked again before it has answered, or a database that is away would collect questions. */
  #ask(check: HealthCheck): Promise<string> {
    const underWay = this.#underWay.get(check)
    if (underWay) return underWay

    const asked = check
      .problem()
      .then((problem) => problem ?? 'ok')
      .catch(() => 'the check itself failed')
      .finally(() => this.#underWay.delete(check))
    this.#underWay.set(check, asked)
    return asked
  }
}
