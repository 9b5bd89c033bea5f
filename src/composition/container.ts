import { Container } from 'inversify'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { codes } from './codes.ts'
import { type CompositionOptions, standIns } from './composition-options.ts'
import { connections } from './connections.ts'
import { http } from './http.ts'
import { identity } from './identity.ts'
import { jobs } from './jobs.ts'
import { observing, observingService } from './observing.ts'
import { reportPage } from './reports.ts'
import { seals } from './seals.ts'
import { serviceEvents } from './service-events.ts'
import { signatures } from './signatures.ts'
import { storage } from './storage.ts'
import { useCases } from './use-cases.ts'
import { users } from './users.ts'
import { webhooks } from './webhooks.ts'

/**
 * Binds each port to its adapter. A module binds and never resolves, so their order decides only in which order routers are tried. Each binding is
 * created at most once. Nothing connects or listens yet.
 */
export function createContainer(options: CompositionOptions, tracing?: Tracing): Container {
  const { config, databaseUrl, logger } = options
  const otpKeys = config.otpKeys ?? standIns(options).otpKeys
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(
    observing(logger, tracing),
    observingService(config),
    connections(databaseUrl, config.databaseSharding),
    storage(),
    users(options),
    identity(options),
    codes(otpKeys, config.policy.codeDigits),
    seals(otpKeys, config.unsealedUntil),
    signatures(options),
    useCases(options),
    jobs(options),
    http(options),
    serviceEvents(options, otpKeys),
    webhooks(options),
    reportPage(config, otpKeys),
  )
  return container
}
