import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import type { Logger } from 'pino'

/** What may go into logs and headers as it came. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The id that a request came with, if it is one, or a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID()
}

/** Is told of every request that was answered, on its way out: it must be quick, and must not throw. */
export interface RequestObserver {
  answered(request: {
    /** The pattern of the route; undefined where none matched. */
    readonly route: string | undefined
    readonly method: string
    readonly status: number
    /** The code of the error body, without its family. */
    readonly code: string | undefined
    readonly durationInSeconds: number
  }): void
}

/** Gives each request its id and, once it is answered, its one line in the log. */
export function requestLog(logger: Logger, observer: RequestObserver | undefined): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    ctx.state.requestId = requestIdOf(ctx.req.headers['x-request-id'])
    ctx.state.origin = { requestId: ctx.state.requestId, remoteAddress: ctx.ip }
    ctx.set('X-Request-ID', ctx.state.requestId)

    await next()

    // The pattern, not the path: what a stranger puts into a path is not ours to keep.
    const route: string | undefined = ctx._matchedRoute
    const { method, status } = ctx
    const { code } = ctx.state
    const durationInMs = performance.now() - startedAt
    observer?.answered({ route, method, status, code, durationInSeconds: durationInMs / 1000 })
    logger.info(
      {
        requestId: ctx.state.requestId,
        method,
        route,
        status,
        code,
        // Why a token was refused, which its bearer is not told.
        refusal: ctx.state.refusal,
        caller: ctx.state.caller,
        challengeId: ctx.state.challengeId,
        durationInMs: Math.round(durationInMs * 10) / 10,
      },
      'request',
    )
  }
}
