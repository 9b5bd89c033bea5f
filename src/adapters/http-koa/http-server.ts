import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Logger } from 'pino'
import { errorBodies, errorBody } from './error-body.ts'
import { outcomesOf } from './outcomes.ts'
import { Refusal } from './refusal.ts'
import { type RequestWatch, requestIdOf, requestLog } from './request-log.ts'
import type { RequestsUnderWay } from './requests-under-way.ts'

/** Slow enough for a phone on a train, fast enough that idle attackers do not fill the table of sockets. */
const TIMEOUTS_IN_MS = { headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 65_000 }

/** The HTTP server over the given routes, not yet listening. Every answer that it can give has the contract's form. */
export function createHttpServer(
  routers: readonly Router[],
  requests: RequestsUnderWay,
  logger: Logger,
  watch: RequestWatch = {},
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

  const server = createServer(TIMEOUTS_IN_MS, app.callback())
  server.on('clientError', answerBrokenRequest)
  server.on('checkExpectation', refuseExpectation)
  return server
}

const fixedHeaders: Middleware = async (ctx, next) => {
  ctx.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
  await next()
}

const nothingMatched: Middleware = (ctx) => {
  if (ctx._matchedRoute) return
  const methods = new Set((ctx.matched as Router['stack'] | undefined)?.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new Refusal('route-unknown')
  throw new Refusal('method-unknown', { headers: { Allow: [...methods].join(', ') } })
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
      'Cache-Control: no-store',
      'Connection: close',
      `X-Request-ID: ${requestId}`,
      '',
      body,
    ].join('\r\n'),
  )
}

/** Anything but `Expect: 100-continue`, which Node answers by itself (RFC 9110 §10.1.1). */
function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdOf(request.headers['x-request-id'])
  const body = JSON.stringify(badRequest(requestId))
  response
    .writeHead(417, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Request-ID': requestId,
    })
    .end(body)
}

function badRequest(requestId: string) {
  return errorBody(outcomesOf(''), new Refusal('bad-request'), requestId)
}
