/** What the bank asked Countersign for, and what it was answered, without credentials. */
export interface Exchange {
  readonly at: Date
  readonly method: string
  readonly path: string
  readonly idempotencyKey: string | undefined
  readonly request: unknown
  /** Undefined if there was no answer. */
  readonly status: number | undefined
  readonly answer: unknown
}
/** What was said on behalf of one visitor. */
export declare class Conversation {
  #private
  get exchanges(): readonly Exchange[]
  note(exchange: Exchange): void
  /** Whatever is fetched meanwhile with `overheardFetch` is part of this conversation. */
  during<Result>(act: () => Promise<Result>): Promise<Result>
}
/** `fetch`, overheard by whoever watches backstage. An operation service has no such thing. */
export declare const overheardFetch: typeof globalThis.fetch
