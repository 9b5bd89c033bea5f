/** Runs `work` in the asynchronous context of one caller. */
export type InContext = <Result>(work: () => Result) => Result

/** Wraps the named statements, for example in spans. Passes on each result or error. */
export interface StatementHook {
  /** Wraps what one caller waits for. */
  around<Result>(name: string, run: () => Promise<Result>): Promise<Result>
  /** Keeps the context of the caller, which a statement that is sent later runs in. */
  keepContext(): InContext
  /** Wraps a statement that several callers share. It belongs to the context of none of them. */
  aroundGroup<Result>(
    name: string,
    callers: readonly InContext[],
    run: () => Promise<Result>,
  ): Promise<Result>
}
