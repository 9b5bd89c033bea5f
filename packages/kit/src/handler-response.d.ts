import type { StoredResponse } from './execution-store.ts'
/** As Node, Koa and Fastify tell them. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>
/** What a handler answered, without the headers that were there before it, which a repeat gets anew. */
export declare function handlerResponse(
  status: number,
  before: AnswerHeaders,
  after: AnswerHeaders,
  body: Buffer,
): StoredResponse
/** All of a body that is told in parts. */
export declare function bytesOf(parts: AsyncIterable<unknown> | Iterable<unknown>): Promise<Buffer>
