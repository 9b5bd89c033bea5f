/** The one run of an operation that an approval allows. */
export interface Execution {
  /** The key. Each approval belongs to one challenge, and allows one run. */
  readonly challengeId: string
  /** The digest of the operation. */
  readonly digest: string
  /** When the approval was consumed first, by the clock of the service. A repeat has the same time. */
  readonly consumedAt: Date
}

/** What a handler answered, in a form that you can store as JSON. */
export interface StoredResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  /** The body, in base64. */
  readonly body: string
}

/** The answer of a store to a caller that wants to run an operation. */
export type Beginning =
  /** Nobody had begun the run. It now belongs to the caller, which finishes or abandons it. */
  | { readonly state: 'run' }
  /** Another caller has begun the run and has neither finished nor abandoned it. The app gets 409, `OPERATION_UNDER_WAY`. */
  | { readonly state: 'under-way' }
  /** The operation ran. The app gets the same answer again. */
  | { readonly state: 'finished'; readonly response: StoredResponse }
  /** The store may have forgotten the run, so it may have happened. The app gets 409, `OUTCOME_NOT_KNOWN`. */
  | { readonly state: 'not-known' }

/**
 * Remembers runs, so that an operation runs once, however often the app repeats its call. All processes of your service have to
 * share one store.
 */
export interface ExecutionStore {
  /**
   * Begins a run, or returns the state of the run that exists. Among concurrent callers, at most one gets `run`, until it
   * abandons the run. If this rejects, nothing runs, and the app gets 503.
   */
  begin(execution: Execution): Promise<Beginning>
  /**
   * Stores the answer of a run that has ended. If this rejects, the app still gets the answer, `onNotRecorded` is called, and a
   * repeat finds the run `under-way`.
   */
  finish(challengeId: string, response: StoredResponse): Promise<void>
  /** Forgets a run whose handler threw or answered 500 or more: it may begin again. */
  abandon(challengeId: string): Promise<void>
}
