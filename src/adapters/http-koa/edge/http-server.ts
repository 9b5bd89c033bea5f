import { createServer, type Server } from 'node:http'
import type Router from '@koa/router'
import Koa from 'koa'
import type { Logger } from 'pino'
import { CHALLENGES, TOTP_EMAIL, WEBHOOKS } from '../paths.ts'
import { errorBodies } from './error-body.ts'
import { fixedHeaders } from './fixed-headers.ts'
import { HttpError } from './http-error.ts'
import type { InFlightRequests } from './in-flight-requests.ts'
import { answerBrokenRequest, rejectExpectation, withValidTarget } from './rejected-requests.ts'
import { type RequestWatch, requestLog } from './request-log.ts'
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
  /** How long a client may take nothing of an answer that is being sent to it. Longer than any request takes to be answered. */
  readonly timeout: number
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
  timeout: 20_000,
  connectionsCheckingInterval: 2000,
  maxConnections: 4000,
}
/** A rule of a proxy on the raw path `…:verify` would not see this spelling, so it names nothing. */
const ENCODED_COLON = new RegExp(
  `^(?:(?:${CHALLENGES}|${TOTP_EMAIL})/[^/]*%3a|${WEBHOOKS}/[^/]+%3arotateSecret$)`,
  'i',
)
/** A flood of connections must not become a flood of log lines. */
const DROPS_LOGGED_EVERY_MS = 10_000

/**
 * An HTTP server for these routes, not yet listening. Every answer has the contract's form. A plain router, such as
 * the demo bank's, answers errors by its paths.
 */
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
  server.timeout = limits.timeout
  server.on('drop', droppedConnections(logger))
  server.on('clientError', answerBrokenRequest)
  server.on('checkExpectation', rejectExpectation)
  return server
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
  if (ENCODED_COLON.test(ctx.path)) throw new HttpError('colon-encoded')
  const methods = new Set(ctx.matched?.flatMap((layer) => layer.methods))
  if (methods.size === 0) throw new HttpError('route-unknown')
  throw new HttpError('method-unknown', { headers: { Allow: [...methods].join(', ') } })
}
