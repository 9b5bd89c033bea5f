import type { StoredResponse } from './execution-store.ts'

/** Headers that belong to one connection or one moment, credentials, and the length, which follows from the body. */
const NOT_STORED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Headers as Node, Koa and Fastify represent them. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** A handler's answer, without the headers that were set before it. A repeated request sets those again. */
export function handlerResponse(
  status: number,
  before: AnswerHeaders,
  after: AnswerHeaders,
  body: Buffer,
): StoredResponse {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined || NOT_STORED.has(name.toLowerCase())) continue
    if (String(before[name]) !== String(value))
      headers[name] = typeof value === 'object' ? [...value] : String(value)
  }
  return { status, headers, body: body.toString('base64') }
}

/** Reads a whole body that arrives in parts. */
export async function bytesOf(parts: AsyncIterable<unknown> | Iterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const part of parts) {
    chunks.push(typeof part === 'string' ? Buffer.from(part) : Buffer.from(part as Uint8Array))
  }
  return Buffer.concat(chunks)
}
