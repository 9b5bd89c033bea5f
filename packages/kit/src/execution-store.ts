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
  /**
   * Nobody had begun the run. It now belongs to the caller, which ends it with one of the other methods. `run` names it among the runs
   * of its challenge. A store that names none leaves it out.
   */
  | { readonly state: 'run'; readonly run?: string }
  /** Another caller has begun the run, not long ago, and has not ended it. The app gets 409, `OPERATION_UNDER_WAY`. */
  | { readonly state: 'under-way' }
  /** The operation ran. The app gets the same answer again. */
  | { readonly state: 'finished'; readonly response: StoredResponse }
  /** The operation may have run: its handler failed, its process is gone, or the store forgot it. The app gets 409, `OUTCOME_NOT_KNOWN`. */
  | { readonly state: 'not-known' }

/**
 * Remembers runs, so that an operation runs once, however often the app repeats its call. All processes of your service have to
 * share one store. `PostgresExecutions` is one.
 *
 * A method that ends a run gets the name that `begin` gave it. It must then change no other run of the challenge: a slow handler may
 * end after its run was abandoned and began again. Without a name it ends the run that there is.
 */
export interface ExecutionStore {
  /**
   * Called for each challenge that this process opens, and before each consumption. `isConsumed` says whether the approval was consumed
   * before, and asks the service if it has to. A store that forgets its runs when its process ends needs this: it lets run only what
   * was not consumed. Others leave it out.
   */
  beforeConsumption?(challengeId: string, isConsumed: () => Promise<boolean>): Promise<void>
  /**
   * Begins a run, or returns the state of the run that exists. Among concurrent callers, at most one gets `run`. Nobody else gets it
   * until the run is abandoned. If this rejects, nothing runs, and the app gets 503.
   */
  begin(execution: Execution): Promise<Beginning>
  /** Stores the answer of a run. An answer that is stored stays, whatever comes later. */
  finish(challengeId: string, response: StoredResponse, run?: string): Promise<void>
  /** Stores that nobody knows what the run did. It stays so until somebody who finds out finishes or abandons the run. */
  markNotKnown(challengeId: string, run?: string): Promise<void>
  /** Forgets a run that did nothing: it may begin again. Does not forget an answer. */
  abandon(challengeId: string, run?: string): Promise<void>
}
