import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { Deliverer } from '../adapters/deliverer/deliverer.ts'
import type { Connections } from '../adapters/persistence-prisma/connection/connect-prisma.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'
import type { StepUpPolicy } from '../domain/step-up-policy.ts'
import { key } from './bind-class.ts'

/** The log of the process. */
export const Log = key<Logger>('Logger')
/** Called with all that the stores commit. */
export const Commits = key<CommitListener>('CommitListener')
/** Undefined where nothing is traced. */
export const Traces = key<Tracing | undefined>('Tracing')
export const Policy = key<StepUpPolicy>('StepUpPolicy')
/** The connections to the database, to be closed at the end. */
export const StorageConnections = key<Connections>('StorageConnections')
/** The deliverer of lock notices, beside the one of codes. */
export const LockNoticeDeliverer = key<Deliverer>('LockNoticeDeliverer')
/** Each group of routes that the HTTP server serves is bound to this key, in the order in which it tries them. */
export const Routes = key<Router>('Routes')
