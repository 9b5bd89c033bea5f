import type { Context, Middleware } from 'koa'
import { type StepUpOptions } from './step-up.ts'
/**
 * Middleware for a Koa route, after authentication and body parser: what comes after it runs only for an operation that its user has
 * countersigned, and once.
 */
export declare function requireStepUp(options: StepUpOptions<Context>): Middleware
export { CountersignClient } from './client.ts'
export type { Beginning, Execution, ExecutionStore, StoredResponse } from './execution-store.ts'
export { InMemoryExecutions } from './in-memory-executions.ts'
export {
  type ProtectedOperation,
  type StepUp,
  type StepUpOptions,
  type StepUpRefusal,
  stepUpOf,
} from './step-up.ts'
