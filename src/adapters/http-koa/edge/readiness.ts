import type { HealthCheck } from '../../../contracts/health-check.ts'

/** How long a report is reused, so that several probes a second cost one check. */
const FRESH_FOR_IN_MS = 1000
/**
 * Long enough for a busy process: a load balancer must not remove it when it is needed most. Short enough that the
 * answer can still say which check hangs.
 */
const TIMEOUT_IN_MS = 5000

export interface ReadinessReport {
  readonly ready: boolean
  /** By the name of the check: `ok`, `ok` with a remark, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>
}

interface CheckOutcome {
  readonly problem: string | undefined
  /** What the report says if there is no problem. */
  readonly ok: string
}

/** Says whether this process should get requests: it is not stopping, and all its checks pass. */
export class Readiness {
  readonly #checks: readonly HealthCheck[]
  readonly #timeoutInMs: number
  readonly #freshForInMs: number
  readonly #now: () => number
  readonly #onChange: (report: ReadinessReport) => void
  readonly #pending = new Map<HealthCheck, Promise<CheckOutcome>>()
  #latest: { readonly report: Promise<ReadinessReport>; readonly freshUntil: number } | undefined
  #ending = false
  /** What the latest report said, to notice a change. A process starts ready. */
  #problems = ''

  /**
   * @param now the milliseconds of a clock that never goes back.
   * @param onChange called with each report that differs from the one before.
   */
  constructor(
    checks: readonly HealthCheck[],
    {
      timeoutInMs = TIMEOUT_IN_MS,
      freshForInMs = FRESH_FOR_IN_MS,
      now = () => performance.now(),
      onChange = (_: ReadinessReport) => {},
    } = {},
  ) {
    this.#checks = checks
    this.#timeoutInMs = timeoutInMs
    this.#freshForInMs = freshForInMs
    this.#now = now
    this.#onChange = onChange
  }

  /** Runs the checks, or reuses a run that is in progress or less than a second old. Takes bounded time. */
  async report(): Promise<ReadinessReport> {
    if (!this.#ending && !(this.#latest && this.#now() < this.#latest.freshUntil)) {
      // Fresh while it runs, and for a second from its end.
      const report = this.#runChecks()
      this.#latest = { report, freshUntil: Number.POSITIVE_INFINITY }
      void report.then(() => {
        this.#latest = { report, freshUntil: this.#now() + this.#freshForInMs }
      })
    }
    const report = await this.#latest?.report
    // Checked again, because the process may have begun to stop meanwhile.
    return this.#ending ? { ready: false, checks: { ...report?.checks, process: 'it is stopping' } } : report!
  }

  /** From now on the process is not ready. */
  end(): void {
    this.#ending = true
  }

  async #runChecks(): Promise<ReadinessReport> {
    const results = await Promise.all(
      this.#checks.map(async (check) => [check.name, await this.#resultOf(check)] as const),
    )
    const problems = results.flatMap(([name, { problem }]) =>
      problem === undefined ? [] : [[name, problem]],
    )
    const checks = Object.fromEntries(results.map(([name, { problem, ok }]) => [name, problem ?? ok]))
    const report = { ready: problems.length === 0, checks }
    if (this.#problems !== String(problems)) this.#onChange(report)
    this.#problems = String(problems)
    return report
  }

  async #resultOf(check: HealthCheck): Promise<CheckOutcome> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<CheckOutcome>((resolve) => {
      const problem = `no answer within ${this.#timeoutInMs} ms`
      timer = setTimeout(resolve, this.#timeoutInMs, { problem, ok: 'ok' })
    })
    try {
      return await Promise.race([this.#run(check), timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Does not start a check that still hangs: queries would pile up at a database that is away. */
  #run(check: HealthCheck): Promise<CheckOutcome> {
    const pending = this.#pending.get(check)
    if (pending) return pending

    const result = check
      .problem()
      .then((problem) => {
        const remark = check.remark?.()
        return { problem, ok: remark === undefined ? 'ok' : `ok: ${remark}` }
      })
      // A check returns what it finds. The error of one that throws is of our own making and may quote anything.
      .catch(() => ({ problem: 'the check itself failed', ok: 'ok' }))
      .finally(() => this.#pending.delete(check))
    this.#pending.set(check, result)
    return result
  }
}
