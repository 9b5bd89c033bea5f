import type { z } from 'zod'
import { DirectoryUnavailable } from '../../application/ports/user-directory.ts'
import { parseUnambiguous } from '../../contracts/unambiguous-json.ts'

/** A user with every attribute takes a few kilobytes. Keycloak does not send anything larger. */
const MAX_BYTES = 65_536

export interface KeycloakAnswer {
  readonly status: number
  readonly body: string
}

/**
 * Sends one request and reads the whole answer, whatever its status, within `timeoutInMs`.
 *
 * @param place names the endpoint in errors. The error of `fetch` is not passed on, because it may hold the URL or a header.
 * @throws {DirectoryUnavailable} without an answer in time, on a redirect, or if the body is cut off or too long.
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
    // A redirect would carry the client's secret or the token to another place.
    const response = await fetch(url, { ...init, redirect: 'error', signal })
    return { status: response.status, body: await bodyOf(place, response) }
  } catch (error) {
    if (error instanceof DirectoryUnavailable) throw error
    throw new DirectoryUnavailable(`${place} ${signal.aborted ? 'took too long' : 'could not be read'}`)
  }
}

/** @throws {DirectoryUnavailable} if the body is not JSON, names a member twice, or does not have this shape. */
export function parseBody<T>(place: string, { body }: KeycloakAnswer, shape: z.ZodType<T>): T {
  const parsed = shape.safeParse(jsonOf(body))
  if (!parsed.success) throw new DirectoryUnavailable(`${place} answered with unexpected content`)
  return parsed.data
}

/** Counts the unpacked bytes that arrive: `Content-Length` may be missing, wrong, or that of a compressed body. */
async function bodyOf(place: string, response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES)
      throw new DirectoryUnavailable(`${place} answered with more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function jsonOf(text: string): unknown {
  try {
    return parseUnambiguous(text)
  } catch {
    return undefined
  }
}
