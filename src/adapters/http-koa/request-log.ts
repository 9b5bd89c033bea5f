import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import type { Logger } from 'pino'

/** What may go into logs and headers as it came. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/

/** The id that a request came with, if it is one, or a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID()
}

/** Gives each request its id and, once it is answered, its one line in the log. */
export function requestLog(logger: Logger): Middleware {
  return async (ctx, next) => {
    const startedAt = performance.now()
    ctx.state.requestId = requestIdOf(ctx.req.headers['x-request-id'])
    ctx.state.origin = { requestId: ctx.state.requestId, remoteAddress: ctx.ip }
    ctx.set('X-Request-ID', ctx.state.requestId)

    await next()

    logger.info(
      {
        requestId: ctx.state.requestId,
        method: ctx.method,
        // The pattern, not the path: what a stranger puts into a path is not ours to keep.
        route: ctx._matchedRoute,
        status: ctx.status,
        code: ctx.state.code,
        caller: ctx.state.caller,
        challengeId: ctx.state.challengeId,
        durationInMs: Math.round((performance.now() - startedAt) * 10) / 10,
      },
      'request',
    )
  }
}
