import type Router from '@koa/router'
import type { Logger } from 'pino'
import type { Config } from '../config/read-config.ts'
import type { Development } from '../development/development.ts'

/** The parts that come from outside the composition. */
export interface CompositionOptions {
  readonly config: Config
  readonly databaseUrl: string
  readonly logger: Logger
  /** Stand-ins for missing configuration. Undefined in production, where the configuration is complete. */
  readonly development?: Development | undefined
  /** Further routes at the service's origin, as behind a gateway. They are not part of its API. */
  readonly extraRouter?: Router | undefined
}

/** @throws {Error} in production. That is a bug, because an incomplete configuration does not start in production. */
export function standIns({ development }: Pick<CompositionOptions, 'development'>): Development {
  if (!development) throw new Error('an incomplete configuration needs the stand-ins of development')
  return development
}
