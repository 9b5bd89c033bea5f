import Router from '@koa/router'
import type { ErrorTable } from './error-table.ts'
import type { EdgeMiddleware, EdgeState, Matched } from './state.ts'

export type EdgeRouter = Router<EdgeState, Matched>

/**
 * A router with a typed `ctx.state`, whose routes answer errors by `errors`. Paths are case-sensitive and end without
 * a slash.
 */
export function createRouter({ errors }: { readonly errors: ErrorTable }): EdgeRouter {
  const router = new Router<EdgeState, Matched>({ sensitive: true, strict: true })
  router.use(answerErrorsBy(errors))
  return router
}

/** For the one route that answers some errors differently from the rest of its router. */
export function answerErrorsBy(errors: ErrorTable): EdgeMiddleware {
  return (ctx, next) => {
    ctx.state.errors = errors
    return next()
  }
}

/** Turns a path as the API's document spells it, `/users/{userId}:lock`, into the router's `/users/:userId\:lock`. */
export function pattern(path: string): string {
  return path.replaceAll(/:|\{(\w+)\}/g, (_, parameter) => (parameter ? `:${parameter}` : '\\:'))
}
