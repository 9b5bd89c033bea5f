const TIME_OUT_IN_MS = 5_000
const MAX_BYTES = 256 * 1024

/** A document of the issuer, with the headers it came with. */
export interface IssuerAnswer {
  readonly json: unknown
  readonly headers: Headers
}

/** Fetches a JSON document of at most 256 KiB within five seconds, without following a redirect. */
export async function fetchJson(url: URL, fetch = globalThis.fetch): Promise<IssuerAnswer> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIME_OUT_IN_MS),
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`The issuer answered ${response.status} instead of a document`)
  }
  return { json: JSON.parse(await boundedText(response)), headers: response.headers }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error(`The issuer answered more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
