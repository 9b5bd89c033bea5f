export interface FetchedText {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}
export interface FetchBounds {
  /** Of the whole exchange, the body of the answer included. */
  readonly timeoutInMs: number
  readonly signal?: AbortSignal | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}
/** The answer is longer than any that is expected. */
export declare class AnswerTooLong extends Error {}
/**
 * Asks, and reads the whole answer. A redirect is an answer like any other: what is sent here is not for another place, least of
 * all the credentials.
 *
 * @throws {AnswerTooLong} @throws what `fetch` throws, for a network that fails, a time-out or an abort.
 */
export declare function boundedFetch(
  url: URL,
  init: RequestInit,
  { timeoutInMs, signal, fetch }: FetchBounds,
): Promise<FetchedText>
