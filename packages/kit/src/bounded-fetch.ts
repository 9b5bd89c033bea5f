export interface FetchedText {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface FetchBounds {
  /** The time for the whole exchange, including the body of the answer. */
  readonly timeoutInMs: number
  readonly signal?: AbortSignal | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** Far more than any expected answer. */
const MAX_ANSWER_IN_BYTES = 256 * 1024

/** The answer is longer than any expected one. */
export class AnswerTooLong extends Error {}

/**
 * Sends a request and reads the whole answer. It returns a redirect as an answer and does not follow it, because the
 * credentials must not reach another server.
 *
 * @throws {AnswerTooLong} @throws what `fetch` throws, for a network that fails, a time-out or an abort.
 */
export async function boundedFetch(
  url: URL,
  init: RequestInit,
  { timeoutInMs, signal, fetch = globalThis.fetch }: FetchBounds,
): Promise<FetchedText> {
  const timeout = AbortSignal.timeout(timeoutInMs)
  const response = await fetch(url, {
    ...init,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  })
  return { status: response.status, headers: response.headers, text: await textOf(response) }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the body, and with it the connection.
    if (length > MAX_ANSWER_IN_BYTES) throw new AnswerTooLong(`more than ${MAX_ANSWER_IN_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
