/**
 * For development, and for a service that is one process. What was consumed before this memory began may have run, so it is not run
 * again: the user has to countersign anew.
 */
export class InMemoryExecutions {
  #executions = new Map()
  #rememberForInMs
  #now
  #beganAt
  constructor({ rememberForInMs = 24 * 3600 * 1000, now = Date.now } = {}) {
    this.#rememberForInMs = rememberForInMs
    this.#now = now
    this.#beganAt = now()
  }
  async begin({ challengeId, consumedAt }) {
    const horizon = Math.max(this.#beganAt, this.#now() - this.#rememberForInMs)
    this.#forgetBefore(horizon)
    const known = this.#executions.get(challengeId)
    if (known?.response) return { state: 'finished', response: known.response }
    if (known) return { state: 'under-way' }
    if (consumedAt.getTime() < horizon) return { state: 'not-known' }
    this.#executions.set(challengeId, { consumedAt: consumedAt.getTime(), response: undefined })
    return { state: 'run' }
  }
  async finish(challengeId, response) {
    const known = this.#executions.get(challengeId)
    if (known) this.#executions.set(challengeId, { ...known, response })
  }
  async abandon(challengeId) {
    this.#executions.delete(challengeId)
  }
  /** They are in the order in which they began, which is nearly that in which they were consumed. */
  #forgetBefore(horizon) {
    for (const [challengeId, { consumedAt }] of this.#executions) {
      if (consumedAt >= horizon) return
      this.#executions.delete(challengeId)
    }
  }
}
