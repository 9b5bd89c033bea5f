import type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'

export interface InMemoryExecutionsOptions {
  /** How long a run is remembered, in milliseconds. A later repeat gets `OUTCOME_NOT_KNOWN`. Default: 24 hours. */
  readonly rememberForInMs?: number
  /** The time in milliseconds since the epoch, by a clock that agrees with the service's. Default: `Date.now`. */
  readonly now?: () => number
}

interface Remembered {
  readonly consumedAt: number
  readonly response: StoredResponse | undefined
}

/**
 * Remembers runs in the memory of one process: for development, and for a service that is one process. An approval that was consumed
 * before the process started may have run. It does not run again, and the user has to approve anew.
 */
export class InMemoryExecutions implements ExecutionStore {
  readonly #executions = new Map<string, Remembered>()
  readonly #rememberForInMs: number
  readonly #now: () => number
  readonly #beganAt: number

  constructor({ rememberForInMs = 24 * 3600 * 1000, now = Date.now }: InMemoryExecutionsOptions = {}) {
    this.#rememberForInMs = rememberForInMs
    this.#now = now
    this.#beganAt = now()
  }

  async begin({ challengeId, consumedAt }: Execution): Promise<Beginning> {
    const horizon = Math.max(this.#beganAt, this.#now() - this.#rememberForInMs)
    this.#forgetBefore(horizon)
    const known = this.#executions.get(challengeId)
    if (known?.response) return { state: 'finished', response: known.response }
    if (known) return { state: 'under-way' }
    if (consumedAt.getTime() < horizon) return { state: 'not-known' }
    this.#executions.set(challengeId, { consumedAt: consumedAt.getTime(), response: undefined })
    return { state: 'run' }
  }

  async finish(challengeId: string, response: StoredResponse): Promise<void> {
    const known = this.#executions.get(challengeId)
    if (known) this.#executions.set(challengeId, { ...known, response })
  }

  async abandon(challengeId: string): Promise<void> {
    this.#executions.delete(challengeId)
  }

  /** The map has the order in which runs began, which is nearly the order in which approvals were consumed. */
  #forgetBefore(horizon: number): void {
    for (const [challengeId, { consumedAt }] of this.#executions) {
      if (consumedAt >= horizon) return
      this.#executions.delete(challengeId)
    }
  }
}
