/** Of one connection or one moment, or a credential; and the length, which follows from the body. */
const NOT_KEPT = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** What a handler answered, without the headers that were there before it, which a repeat gets anew. */
export function handlerResponse(status, before, after, body) {
  const headers = {}
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined || NOT_KEPT.has(name.toLowerCase())) continue
    if (String(before[name]) !== String(value))
      headers[name] = typeof value === 'object' ? [...value] : String(value)
  }
  return { status, headers, body: body.toString('base64') }
}
/** All of a body that is told in parts. */
export async function bytesOf(parts) {
  const chunks = []
  for await (const part of parts) {
    chunks.push(typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))
  }
  return Buffer.concat(chunks)
}
