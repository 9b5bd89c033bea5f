import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorBody } from './error-body.ts'
import { SERVICE_ERRORS } from './error-table.ts'
import { FIXED_HEADERS } from './fixed-headers.ts'
import { HttpError } from './http-error.ts'
import { requestIdOf } from './request-log.ts'

/* Requests that Koa never sees. Their answers have the contract's form as well. */

/** For requests that Node cannot read: bad or oversized headers, an ambiguous length, too slow. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    {
      HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
      ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
    }[error.code ?? ''] ?? '400 Bad Request'
  const requestId = requestIdOf(undefined)
  const body = JSON.stringify(badRequest(requestId))
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(FIXED_HEADERS).map(([name, value]) => `${name}: ${value}`),
      'Connection: close',
      `X-Request-ID: ${requestId}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/**
 * Rejects requests whose target is not a valid path or whose Host header is missing or repeated. Reduces an
 * absolute-form target to its path. Koa throws on an invalid URL outside our error handler.
 */
export function withValidTarget(handle: RequestListener): RequestListener {
  return (request, response) => {
    const target = originForm(request.url ?? '')
    if (target === undefined || !hasOneHost(request)) {
      reject(400, request, response)
      return
    }
    request.url = target
    handle(request, response)
  }
}

/** With two Host headers, proxies may disagree on which one counts (RFC 9112 §3.2). HTTP/1.0 needs none. */
function hasOneHost({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  const hosts = rawHeaders.filter((name, n) => n % 2 === 0 && name.toLowerCase() === 'host').length
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0')
}

function originForm(target: string): string | undefined {
  if (target.startsWith('/') || target === '*') return target
  const [authority] = /^https?:\/\/[^/?#]*/i.exec(target) ?? []
  if (authority === undefined || !URL.canParse(target)) return undefined
  return target.slice(authority.length).replace(/^(?!\/)/, '/')
}

/** For any expectation but `100-continue`, which Node answers by itself (RFC 9110 §10.1.1). */
export function rejectExpectation(request: IncomingMessage, response: ServerResponse): void {
  reject(417, request, response)
}

function reject(status: number, request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdOf(request.headers['x-request-id'])
  const body = JSON.stringify(badRequest(requestId))
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      ...FIXED_HEADERS,
      'X-Request-ID': requestId,
    })
    .end(body)
}

function badRequest(requestId: string) {
  return errorBody(SERVICE_ERRORS, new HttpError('bad-request'), requestId)
}
