import { randomUUID } from 'node:crypto'
import type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'

export interface SingleProcessExecutionsOptions {
  /** How long a run is remembered, in milliseconds. A later repeat gets `OUTCOME_NOT_KNOWN`. Default: 24 hours. */
  readonly rememberForInMs?: number
  /** How long a run that has not ended counts as under way, in milliseconds. After that its outcome is not known. Default: one minute. */
  readonly underWayForInMs?: number
  /** Milliseconds of a clock that is never set back. Default: `performance.now`. */
  readonly now?: () => number
}

interface Remembered {
  readonly since: number
  readonly outcome: 'may-begin' | 'under-way' | 'not-known' | StoredResponse
  /** The run that began last. */
  readonly run?: string
}

/**
 * Remembers runs in the memory of one process: for development, and for a service that is one process. With two processes an operation
 * could run twice: use `PostgresExecutions`.
 *
 * After a restart nothing is remembered. An approval that the service calls consumed by then may have run. It does not run again, and
 * the user has to approve anew. No clock decides this, so a clock that is wrong changes nothing.
 */
export class SingleProcessExecutions implements ExecutionStore {
  /** In the order of `since`. */
  readonly #executions = new Map<string, Remembered>()
  readonly #rememberForInMs: number
  readonly #underWayForInMs: number
  readonly #now: () => number

  constructor({
    rememberForInMs = 24 * 3600 * 1000,
    underWayForInMs = 60_000,
    now = () => performance.now(),
  }: SingleProcessExecutionsOptions = {}) {
    this.#rememberForInMs = rememberForInMs
    this.#underWayForInMs = underWayForInMs
    this.#now = now
  }

  async beforeConsumption(challengeId: string, isConsumed: () => Promise<boolean>): Promise<void> {
    this.#forgetOld()
    if (this.#executions.has(challengeId)) return
    // Another call may have come this far, and further, while the service answered.
    if (!(await isConsumed()) && !this.#executions.has(challengeId)) this.#set(challengeId, 'may-begin')
  }

  async begin({ challengeId }: Execution): Promise<Beginning> {
    this.#forgetOld()
    const known = this.#executions.get(challengeId)
    if (!known) return { state: 'not-known' }
    switch (known.outcome) {
      case 'not-known':
        return { state: 'not-known' }
      case 'may-begin': {
        const run = randomUUID()
        this.#set(challengeId, 'under-way', run)
        return { state: 'run', run }
      }
      case 'under-way':
        return { state: this.#now() - known.since > this.#underWayForInMs ? 'not-known' : 'under-way' }
      default:
        return { state: 'finished', response: known.outcome }
    }
  }

  async finish(challengeId: string, response: StoredResponse, run?: string): Promise<void> {
    this.#end(challengeId, run, response)
  }

  async markNotKnown(challengeId: string, run?: string): Promise<void> {
    this.#end(challengeId, run, 'not-known')
  }

  async abandon(challengeId: string, run?: string): Promise<void> {
    this.#end(challengeId, run, 'may-begin')
  }

  #end(challengeId: string, run: string | undefined, outcome: Remembered['outcome']): void {
    const known = this.#executions.get(challengeId)
    const isOpen = known?.outcome === 'under-way' || known?.outcome === 'not-known'
    if (isOpen && (run === undefined || run === known.run)) this.#set(challengeId, outcome, known.run)
  }

  #set(challengeId: string, outcome: Remembered['outcome'], run?: string): void {
    this.#executions.delete(challengeId)
    this.#executions.set(challengeId, {
      since: this.#now(),
      outcome,
      ...(run !== undefined && { run }),
    })
  }

  #forgetOld(): void {
    const horizon = this.#now() - this.#rememberForInMs
    for (const [challengeId, { since }] of this.#executions) {
      if (since >= horizon) return
      this.#executions.delete(challengeId)
    }
  }
}
