import cluster from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { createMetricsServer, type Scrape } from '../adapters/metrics-prometheus/metrics-server.ts'
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
 * Serves the metrics of this process on a port of their own. A worker has no endpoint: its supervisor asks it for its metrics and
 * serves the sum. Rejects if the port is in use or not permitted.
 */
export async function exposeMetrics(
  read: ReadMetrics,
  place: Place,
  logger: Logger,
): Promise<MetricsEndpoint | undefined> {
  if (!cluster.isWorker) return startMetricsEndpoint(async () => (await read()).metrics(), place, logger)
  answerSupervisor(async () => (await read()).getMetricsAsJSON())
  return undefined
}

/** Serves the sum of the metrics of all workers of this supervisor. Rejects if the port is in use or not permitted. */
export async function exposeMetricsOfWorkers(place: Place, logger: Logger): Promise<MetricsEndpoint> {
  return startMetricsEndpoint(scrapeOfWorkers(), place, logger)
}

async function startMetricsEndpoint(
  scrape: Scrape,
  { managementHost, managementPort, production }: Place,
  logger: Logger,
): Promise<MetricsEndpoint> {
  const server = createMetricsServer(scrape, logger)
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
