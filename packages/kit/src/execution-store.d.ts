/** The one run of an operation that an approval allows. */
export interface Execution {
  /** The key: an approval is one challenge's, and allows one run. */
  readonly challengeId: string
  readonly digest: string
  readonly consumedAt: Date
}
/** What a handler answered, in a form that JSON can keep. */
export interface StoredResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  /** In base64. */
  readonly body: string
}
export type Beginning =
  /** Nobody had begun it: it is now the caller's, who finishes or abandons it. */
  | {
      readonly state: 'run'
    }
  | {
      readonly state: 'under-way'
    }
  | {
      readonly state: 'finished'
      readonly response: StoredResponse
    }
  /** It is older than what is remembered, so it may have run. */
  | {
      readonly state: 'not-known'
    }
/** Remembers executions, so that an operation runs once however often it is asked for. */
export interface ExecutionStore {
  /** Of any number of callers at the same time, at most one gets `run`, until that one abandons it. */
  begin(execution: Execution): Promise<Beginning>
  finish(challengeId: string, response: StoredResponse): Promise<void>
  /** The handler failed, and did nothing: it may be begun again. */
  abandon(challengeId: string): Promise<void>
}
