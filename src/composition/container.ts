import { Container } from 'inversify'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { codesAndSignatures } from './codes-and-signatures.ts'
import type { CompositionOptions } from './composition-options.ts'
import { http } from './http.ts'
import { identity } from './identity.ts'
import { jobs } from './jobs.ts'
import { mail } from './mail.ts'
import { observing } from './observing.ts'
import { storage } from './storage.ts'
import { useCases } from './use-cases.ts'
import { users } from './users.ts'
import { webhooks } from './webhooks.ts'

/**
 * Binds each port to its adapter. A module binds and never resolves, so their order decides only in which order routers are tried. Each binding is
 * created at most once. Nothing connects or listens yet.
 */
export function createContainer(options: CompositionOptions, tracing?: Tracing): Container {
  const container = new Container({ defaultScope: 'Singleton' })
  container.load(
    observing(options, tracing),
    storage(options),
    users(options),
    identity(options),
    codesAndSignatures(options),
    mail(options),
    useCases(options),
    jobs(),
    http(options),
    webhooks(options),
  )
  return container
}
