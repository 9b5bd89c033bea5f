import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Next } from 'koa'
import type { Logger } from 'pino'
import { type ClientAddress, clientAddress } from './client-address.ts'
import type { EdgeContext, EdgeMiddleware, EdgeState } from './state.ts'

/** The ids that are safe to copy into logs and headers. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The id in the request's header, if it is safe to copy. Otherwise a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID()
}

/** Called for each request that was answered, before the answer is sent. Must be quick and must not throw. */
export interface RequestObserver {
  answered(request: {
    /** The pattern of the route. Undefined if none matched. */
    readonly route: string | undefined
    readonly method: string
    readonly status: number
    /** The code of the error body, without its family. */
    readonly code: string | undefined
    /** Why the access token was refused. Its bearer does not learn that; undefined if it was not. */
    readonly refusal: string | undefined
    readonly durationInSeconds: number
  }): void
}

/** Puts requests into distributed traces. */
export interface RequestTraces {
  /**
   * Runs `handle`, which returns what was answered, in the trace that the headers name, in a new one, or untraced.
   */
  follow(
    request: {
      readonly method: string
      readonly path: string
      readonly scheme: string
      readonly headers: IncomingHttpHeaders
    },
    handle: (traced: TracedRequest | undefined) => Promise<{
      readonly requestId: string
      readonly route: string | undefined
      readonly status: number
      readonly code: string | undefined
      readonly challengeId: string | undefined
    }>,
  ): Promise<void>
}

interface TracedRequest {
  readonly traceId: string
  /** See `Origin`. */
  readonly traceContext: string
}

export interface RequestWatch {
  readonly observer?: RequestObserver
  /** Default: the other end of the connection. */
  readonly addressOf?: ClientAddress
  readonly traces?: RequestTraces | undefined
}

function levelOf({ warning, polling }: EdgeState): 'warn' | 'debug' | 'info' {
  if (warning !== undefined) return 'warn'
  return polling ? 'debug' : 'info'
}

/** Gives each request its id and origin and, once it is answered, its one line in the log. */
export function requestLog(
  logger: Logger,
  { observer, addressOf = clientAddress([]), traces }: RequestWatch,
): EdgeMiddleware {
  const handle = async (ctx: EdgeContext, next: Next, traced?: TracedRequest) => {
    const startedAt = performance.now()
    const requestId = requestIdOf(ctx.req.headers['x-request-id'])
    ctx.state.requestId = requestId
    ctx.state.origin = { requestId, remoteAddress: addressOf(ctx.req), traceContext: traced?.traceContext }
    ctx.set('X-Request-ID', requestId)

    await next()

    // The pattern, not the path: a path may hold anything that a caller put into it.
    const route = ctx._matchedRoute?.toString()
    const { method, status } = ctx
    const { code, refusal, challengeId, warning } = ctx.state
    const durationInMs = performance.now() - startedAt
    observer?.answered({ route, method, status, code, refusal, durationInSeconds: durationInMs / 1000 })
    logger[levelOf(ctx.state)](
      {
        requestId,
        traceId: traced?.traceId,
        method,
        route,
        status,
        code,
        refusal,
        warning,
        caller: ctx.state.caller,
        subject: ctx.state.subject,
        challengeId,
        durationInMs: Math.round(durationInMs * 10) / 10,
      },
      'request',
    )
    return { requestId, route, status, code, challengeId }
  }

  if (!traces) return (ctx, next) => handle(ctx, next).then(() => {})
  return (ctx, next) => {
    const { method, path, protocol: scheme, headers } = ctx
    return traces.follow({ method, path, scheme, headers }, (traced) => handle(ctx, next, traced))
  }
}
