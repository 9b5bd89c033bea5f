import type { RouterContext } from '@koa/router'
import type { Middleware, ParameterizedContext } from 'koa'
import type { Origin } from '../../../application/ports/provenance.ts'
import type { ErrorTable } from './error-table.ts'

/** What the edge keeps about a request until it is answered. */
export interface EdgeState {
  /** Set by the request log, before anything else reads it. */
  requestId: string
  origin: Origin
  /** The errors of the route that matched. Undefined until one did. */
  errors?: ErrorTable
  /** Who calls, as the audit trail names them. */
  caller?: string
  /** The user that the request is about. */
  subject?: string | undefined
  challengeId?: string
  /** The code of the error body, without its family. */
  code?: string
  /** Why the access token was refused. Logged, never sent. */
  refusal?: string
  /** What the caller should mend, although the request was carried out. Makes its line in the log a warning. */
  warning?: string
  /** Logged at debug level, because a page repeats it every few seconds. */
  polling?: boolean
}

/** What the router adds to a context once a route, or at least a path, matched. */
export type Matched = Partial<Pick<RouterContext<EdgeState, object>, '_matchedRoute' | 'matched'>>

export type EdgeContext = ParameterizedContext<EdgeState, Matched>
export type EdgeMiddleware = Middleware<EdgeState, Matched>
/** The context of a route: the parameters of its path are known. */
export type RouteContext = RouterContext<EdgeState, Matched>
