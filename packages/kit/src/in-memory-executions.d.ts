import type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
export interface InMemoryExecutionsOptions {
  readonly rememberForInMs?: number
  /** Milliseconds since the epoch, on a clock like the service's. */
  readonly now?: () => number
}
/**
 * For development, and for a service that is one process. What was consumed before this memory began may have run, so it is not run
 * again: the user has to countersign anew.
 */
export declare class InMemoryExecutions implements ExecutionStore {
  #private
  constructor({ rememberForInMs, now }?: InMemoryExecutionsOptions)
  begin({ challengeId, consumedAt }: Execution): Promise<Beginning>
  finish(challengeId: string, response: StoredResponse): Promise<void>
  abandon(challengeId: string): Promise<void>
}
