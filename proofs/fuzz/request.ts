/** One request, and which answers it may get beyond the document. */
export interface FuzzRequest {
  readonly kind: 'right' | 'almost right' | 'hostile'
  /** What is wrong with it, or `nothing` for a valid request. */
  readonly wrong: string
  readonly method: string
  /** The target in the request line. */
  readonly target: string
  /** The headers in this order, with octets as Latin-1. Host and the framing of the body are added. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array | undefined
  readonly chunked: boolean
  /** The bytes to send instead of all this, for requests that are not valid HTTP. */
  readonly bytes?: string
  /** The only allowed status. Undefined allows any documented one. */
  readonly status?: number
}

/** Its bytes. */
export function bytesOf(request: FuzzRequest): Buffer {
  const { method, target, headers, body, chunked, bytes } = request
  if (bytes !== undefined) return Buffer.from(bytes, 'latin1')
  const framing = !body
    ? []
    : chunked
      ? ['Transfer-Encoding: chunked']
      : [`Content-Length: ${body.byteLength}`]
  const head = [
    `${method} ${target} HTTP/1.1`,
    'Host: countersign.example',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...framing,
  ]
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'),
    ...(body ? (chunked ? chunksOf(body) : [body]) : []),
  ])
}

/** In two parts, as a sender may do. */
function chunksOf(body: Uint8Array): readonly Uint8Array[] {
  const middle = body.byteLength >> 1
  const halves = [body.subarray(0, middle), body.subarray(middle)].filter((half) => half.byteLength > 0)
  return [
    ...halves.flatMap((half) => [
      Buffer.from(`${half.byteLength.toString(16)}\r\n`),
      half,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\n\r\n'),
  ]
}

const SHOWN_CHARACTERS = 1500

/** Readable, and ready to send again: escapes every byte that is not printable. */
export function shown(request: FuzzRequest): string {
  const text = bytesOf(request).toString('latin1')
  const printable = text
    .slice(0, SHOWN_CHARACTERS)
    .replaceAll(/[^\x20-\x7e\r\n]/g, (octet) => `\\x${octet.charCodeAt(0).toString(16).padStart(2, '0')}`)
  const more = text.length > SHOWN_CHARACTERS ? `… (${text.length} octets)` : ''
  return `${request.kind} (wrong: ${request.wrong})\n${printable.replaceAll(/\r\n|\n/g, '\n    ').replace(/^/, '    ')}${more}`
}
