import { Server } from 'node:http'
import type { Registry } from 'prom-client'
import { Readiness } from '../adapters/http-koa/edge/readiness.ts'
import { AnchorCron } from '../adapters/jobs-cron/anchor-cron.ts'
import { RetentionCron } from '../adapters/jobs-cron/retention-cron.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { WebhookConfiguration } from '../adapters/webhook-configuration/webhook-configuration.ts'
import type { CompositionOptions } from './composition-options.ts'
import { createContainer } from './container.ts'
import { StorageConnections } from './container-keys.ts'
import { loadTracing } from './observing.ts'

/** Work that runs beside the requests. */
interface Job {
  start(): void
  /** Starts no new work, and resolves when the work in progress is done. */
  stop(): Promise<void>
}

/** The assembled service, without the delivery of its mails. It does not listen yet, and its jobs do not run yet. */
export interface Application {
  readonly server: Server
  readonly jobs: readonly Job[]
  readonly readiness: Pick<Readiness, 'end'>
  readonly metrics: Registry
  /** Closes the connections to the database, and exports the last traces. Stop the jobs first. */
  close(): Promise<void>
}

export async function createApplication(options: CompositionOptions): Promise<Application> {
  const tracing = await loadTracing(options)
  const container = createContainer(options, tracing)
  return {
    server: container.get(Server),
    jobs: [container.get(RetentionCron), container.get(AnchorCron), container.get(WebhookConfiguration)],
    readiness: container.get(Readiness),
    metrics: container.get(Metrics).registry,
    close: async () => {
      await container.get(StorageConnections).close()
      await tracing?.stop()
    },
  }
}
