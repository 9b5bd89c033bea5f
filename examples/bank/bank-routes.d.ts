import Router from '@koa/router'
import type { CustomerDirectory } from './customer-directory.ts'
import { type Visits } from './visits.ts'
/** The bank as its front end calls it: an operation service that protects an operation with the kit, as any other would. */
export declare function bankRoutes(
  countersignUrl: string,
  visits: Visits,
  directory: CustomerDirectory,
): Router
