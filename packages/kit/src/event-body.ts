import type { IncomingMessage } from 'node:http'
import { EventRefused } from './event-refused.ts'

/** An event has about 600. */
export const LONGEST_EVENT_IN_BYTES = 65_536

/**
 * The body of a delivery as it arrived.
 *
 * @param known what a body parser left, if it left text or bytes.
 * @throws {TypeError} if a parser has read the body and left something else.
 * @throws {EventRefused} if it is too long.
 */
export async function eventBody(request: IncomingMessage, ...known: readonly unknown[]): Promise<Buffer> {
  const raw = known.find((each) => typeof each === 'string' || each instanceof Uint8Array)
  if (raw !== undefined) return Buffer.from(raw as string | Uint8Array)
  if (request.readableDidRead) {
    throw new TypeError(
      'A body parser has read the event, so its signature cannot be checked. Let the parser leave application/cloudevents+json alone',
    )
  }
  const chunks: Buffer[] = []
  let length = 0
  // The connection is still needed, for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length
    if (length > LONGEST_EVENT_IN_BYTES) throw new EventRefused('EVENT_TOO_LONG')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
