import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Logger } from 'pino'
import { errorBodies, errorBody } from './error-body.ts'
import { outcomesOf } from './error-table.ts'
import { HttpError } from './http-error.ts'
import type { InFlightRequests } from './in-flight-requests.ts'
import { type RequestWatch, requestIdOf, requestLog } from './request-log.ts'

/** What one client may take of a process, and all of them together. Times in milliseconds. */
export interface EdgeLimits {
  /** From the connection, or the answer before, to the end of the headers. */
  readonly headersTimeout: number
  /** From there to the end of the body. */
  readonly requestTimeout: number
  /** From an answer to the next request. Longer than a proxy's, which then is the one to close. */
  readonly keepAliveTimeout: number
  /** How often the first two are looked at. */
  readonly connectionsCheckingInterval: number
  /** Beyond it, connections are closed as soon as they are made. */
  readonly maxConnections: number
}

/** Slow enough for a phone on a train, fast enough that idle attackers do not fill the table of sockets. */
const LIMITS: EdgeLimits = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  maxConnections: 4000,
}
/** A flood of connections must not become a flood of log lines. */
const DROPS_TOLD_EVERY_MS = 10_000

/** The HTTP server over the given routes, not yet listening. Every answer that it can give has the contract's form. */
export function createHttpServer(
  routers: readonly Router[],
  requests: InFlightRequests,
  logger: Logger,
  watch: RequestWatch = {},
  limits: EdgeLimits = LIMITS,
): Server {
  const app = new Koa()
  // What reaches Koa past the error bodies is a broken connection, for which there is nobody left to answer.
  app.on('error', (error) => logger.debug({ err: error }, 'connection failed'))

  app.use(requests.middleware())
  app.use(requestLog(logger, watch))
  app.use(fixedHeaders)
  app.use(errorBodies(logger))
  for (const router of routers) app.use(router.routes())
  app.use(nothingMatched)

  // Node's own answer to a request without one has no body.
  const server = createServer({ ...limits, requireHostHeader: false }, withValidTarget(app.callback()))
  server.maxConnections = limits.maxConnections
  server.on('drop', droppedConnections(logger))
  server.on('clientError', answerBrokenRequest)
  server.on('checkExpectation', refuseExpectation)
  return server
}

/** What OWASP's REST Security Cheat Sheet asks of every answer; a page has a policy of its own. */
const FIXED_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const fixedHeaders: Middleware = async (ctx, next) => {
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
    }, DROPS_TOLD_EVERY_MS).unref()
  }
}

const nothingMatched: Middleware = (ctx) => {
  if (ctx._matchedRoute) return
  const methods = new Set((ctx.matched as Router['stack'] | undefined)?.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new HttpError('route-unknown')
  throw new HttpError('method-unknown', { headers: { Allow: [...methods].join(', ') } })
}

/** Requests that Node could not read never get to Koa: headers too large or malformed, ambiguous length, too slow. */
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
 * Refuses what names nothing that can be asked for, or not one host, and has a target read as its path alone, also
 * where an authority stands in front of it. Koa would throw at one that is no URL, before and after the error bodies.
 */
function withValidTarget(handle: RequestListener): RequestListener {
  return (request, response) => {
    const target = originForm(request.url ?? '')
    if (target === undefined || !hasOneHost(request)) {
      refuse(400, request, response)
      return
    }
    request.url = target
    handle(request, response)
  }
}

/** Of two, each program on the way may believe another (RFC 9112 §3.2). HTTP/1.0 needs none. */
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

/** Anything but `Expect: 100-continue`, which Node answers by itself (RFC 9110 §10.1.1). */
function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  refuse(417, request, response)
}

function refuse(status: number, request: IncomingMessage, response: ServerResponse): void {
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
  return errorBody(outcomesOf(''), new HttpError('bad-request'), requestId)
}
