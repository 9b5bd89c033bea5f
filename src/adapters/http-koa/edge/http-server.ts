import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type Router from '@koa/router'
import Koa from 'koa'
import type { Logger } from 'pino'
import { errorBodies, errorBody } from './error-body.ts'
import { SERVICE_ERRORS } from './error-table.ts'
import { HttpError } from './http-error.ts'
import type { InFlightRequests } from './in-flight-requests.ts'
import { type RequestWatch, requestIdOf, requestLog } from './request-log.ts'
import type { EdgeRouter } from './router.ts'
import type { EdgeMiddleware, EdgeState, Matched } from './state.ts'

/** How long one client may take, and how many may connect. Times are in milliseconds. */
export interface EdgeLimits {
  /** From the connection, or from the previous answer, to the end of the headers. */
  readonly headersTimeout: number
  /** From the end of the headers to the end of the body. */
  readonly requestTimeout: number
  /** From an answer to the next request. Longer than a proxy's, so that the proxy closes first. */
  readonly keepAliveTimeout: number
  /** How often the first two are checked. */
  readonly connectionsCheckingInterval: number
  /** Further connections are closed as soon as they are made. */
  readonly maxConnections: number
}

/** Long enough for a phone on a train, short enough that idle attackers do not use up the sockets. */
const LIMITS: EdgeLimits = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  maxConnections: 4000,
}
/** A flood of connections must not become a flood of log lines. */
const DROPS_LOGGED_EVERY_MS = 10_000

/** An HTTP server for these routes, not yet listening. Every answer has the contract's form. */
export function createHttpServer(
  routers: readonly (EdgeRouter | Router)[],
  requests: InFlightRequests,
  logger: Logger,
  watch: RequestWatch = {},
  limits: EdgeLimits = LIMITS,
): Server {
  const app = new Koa<EdgeState, Matched>()
  // Only errors of broken connections get past the error bodies. Nobody is left to answer.
  app.on('error', (error) => logger.debug({ err: error }, 'connection failed'))

  app.use(requests.middleware())
  app.use(requestLog(logger, watch))
  app.use(fixedHeaders)
  app.use(errorBodies(logger))
  for (const router of routers) app.use(router.routes())
  app.use(nothingMatched)

  // Node would answer a request without a host by itself, and without a body.
  const server = createServer({ ...limits, requireHostHeader: false }, withValidTarget(app.callback()))
  server.maxConnections = limits.maxConnections
  server.on('drop', droppedConnections(logger))
  server.on('clientError', answerBrokenRequest)
  server.on('checkExpectation', rejectExpectation)
  return server
}

/** OWASP's REST Security Cheat Sheet asks for these on every answer. A page sets a policy of its own. */
const FIXED_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const fixedHeaders: EdgeMiddleware = async (ctx, next) => {
  ctx.set(FIXED_HEADERS)
  await next()
}

function droppedConnections(logger: Logger): () => void {
  let dropped = 0
  return () => {
    if (dropped++ > 0) return
    setTimeout(() => {
      logger.warn({ dropped }, 'connections beyond the limit closed')
      dropped = 0
    }, DROPS_LOGGED_EVERY_MS).unref()
  }
}

const nothingMatched: EdgeMiddleware = (ctx) => {
  if (ctx._matchedRoute) return
  const methods = new Set(ctx.matched?.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new HttpError('route-unknown')
  throw new HttpError('method-unknown', { headers: { Allow: [...methods].join(', ') } })
}

/** Koa never sees the requests that Node cannot read: bad or oversized headers, an ambiguous length, too slow. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
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
function withValidTarget(handle: RequestListener): RequestListener {
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
function rejectExpectation(request: IncomingMessage, response: ServerResponse): void {
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
