import Router from '@koa/router'
import type { CustomerDirectory } from './customer-directory.ts'
import { type Visits } from './visits.ts'
/** What a visitor sees behind the scenes, and what they may let go wrong there. No integrator has any of this. */
export declare function backstageRoutes(
  countersignUrl: string,
  visits: Visits,
  directory: CustomerDirectory,
): Router
