import type { z } from 'zod'
import { DirectoryUnavailable } from '../../application/ports/user-directory.ts'

/** A user with every attribute is a few kilobytes; what is larger is no answer of Keycloak's. */
const MAX_BYTES = 65_536

export interface KeycloakAnswer {
  readonly status: number
  readonly body: string
}

/**
 * One request and its whole answer, whatever its status, within `timeoutInMs`.
 *
 * @param place what was asked, for the reason: the error of `fetch` is left behind because it may hold the URL or a header.
 * @throws {DirectoryUnavailable} if there is no answer in time, a redirect, or a body that ends early or not soon enough.
 */
export async function callKeycloak(
  place: string,
  url: URL,
  init: RequestInit,
  timeoutInMs: number,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<KeycloakAnswer> {
  const signal = AbortSignal.timeout(timeoutInMs)
  try {
    // A redirect would carry the client's secret or the token to wherever the answer points.
    const response = await fetch(url, { ...init, redirect: 'error', signal })
    return { status: response.status, body: await bodyOf(place, response) }
  } catch (error) {
    if (error instanceof DirectoryUnavailable) throw error
    throw new DirectoryUnavailable(`${place} ${signal.aborted ? 'took too long' : 'could not be read'}`)
  }
}

/** @throws {DirectoryUnavailable} if the body is no JSON, or not of that shape. */
export function parseBody<T>(place: string, { body }: KeycloakAnswer, shape: z.ZodType<T>): T {
  const parsed = shape.safeParse(jsonOf(body))
  if (!parsed.success) throw new DirectoryUnavailable(`${place} answered with something else`)
  return parsed.data
}

/** Counts what arrives, unpacked: `Content-Length` may be missing, wrong, or of a compressed body. */
async function bodyOf(place: string, response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new DirectoryUnavailable(`${place} answered with too much`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
