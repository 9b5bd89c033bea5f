import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { Config } from '../config/read-config.ts'
import type { Development } from '../development/development.ts'

/** What the application is made of. */
export interface CompositionOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly logger: Logger
  /** The stand-ins for what is not configured. Undefined in production, where everything is. */
  readonly development?: Development | undefined
  /** Further routes at the service's origin, as behind a gateway. They are not part of its API. */
  readonly extraRouter?: Router | undefined
}

/** @throws {Error} in production, where an incomplete configuration does not get this far. */
export function standIns({ development }: Pick<CompositionOptions, 'development'>): Development {
  if (!development) throw new Error('an incomplete configuration needs the stand-ins of development')
  return development
}
