import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import {
  createMetricsServer,
  type GuardedPages,
  type Scrape,
} from '../adapters/metrics-prometheus/metrics-server.ts'
import { answerSupervisor, scrapeOfWorkers } from '../adapters/metrics-prometheus/worker-metrics.ts'
import type { Config } from '../config/read-config.ts'
import { listen } from './listen.ts'

export interface MetricsEndpoint {
  readonly url: string
  stop(): Promise<void>
}

type Place = Pick<Config, 'managementHost' | 'managementPort' | 'production'>

/** Reads all metrics of this process. Rejects if they are temporarily unavailable. */
export type ReadMetrics = () => Promise<Registry>

/**
 * Serves the metrics of this process on a port of their own, with `pages` beside them. A worker has no endpoint: its supervisor asks
 * it for its metrics and serves the sum. Rejects if the port is in use or not permitted.
 */
export async function exposeMetrics(
  read: ReadMetrics,
  place: Place,
  logger: Logger,
  pages?: GuardedPages,
): Promise<MetricsEndpoint | undefined> {
  if (!cluster.isWorker) {
    return startMetricsEndpoint(async () => (await read()).metrics(), place, logger, pages)
  }
  answerSupervisor(async () => (await read()).getMetricsAsJSON(), logger)
  return undefined
}

/**
 * Serves the sum of the metrics of all workers of this supervisor, with the support desk beside it. Rejects if the port is in use or not
 * permitted.
 */
export async function exposeMetricsOfWorkers(
  place: Place,
  logger: Logger,
  support?: GuardedPages & { readonly metrics: Registry },
): Promise<MetricsEndpoint> {
  return startMetricsEndpoint(scrapeOfWorkers({ beside: support?.metrics }), place, logger, support)
}

async function startMetricsEndpoint(
  scrape: Scrape,
  { managementHost, managementPort, production }: Place,
  logger: Logger,
  pages: GuardedPages | undefined,
): Promise<MetricsEndpoint> {
  const server = createMetricsServer(scrape, logger, pages)
  let url: string
  try {
    url = await listen(server, {
      ...{ host: managementHost, port: managementPort, production },
      variable: 'MANAGEMENT_HOST',
    })
  } catch (error) {
    throw new Error(`MANAGEMENT_PORT is in use or not permitted: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return {
    url,
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
