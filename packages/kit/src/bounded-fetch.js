/** Far more than any answer that is expected here. */
const MAX_ANSWER_IN_BYTES = 256 * 1024
/** The answer is longer than any that is expected. */
export class AnswerTooLong extends Error {}
/**
 * Asks, and reads the whole answer. A redirect is an answer like any other: what is sent here is not for another place, least of
 * all the credentials.
 *
 * @throws {AnswerTooLong} @throws what `fetch` throws, for a network that fails, a time-out or an abort.
 */
export async function boundedFetch(url, init, { timeoutInMs, signal, fetch = globalThis.fetch }) {
  const timeout = AbortSignal.timeout(timeoutInMs)
  const response = await fetch(url, {
    ...init,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  })
  return { status: response.status, headers: response.headers, text: await textOf(response) }
}
async function textOf(response) {
  const chunks = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the body, and with it the connection.
    if (length > MAX_ANSWER_IN_BYTES) throw new AnswerTooLong(`more than ${MAX_ANSWER_IN_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
