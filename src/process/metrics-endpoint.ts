import { once } from 'node:events'
import type { Logger } from 'pino'
import { createMetricsServer, type Scrape } from '../adapters/metrics-prometheus/metrics-server.ts'
import type { Config } from '../config/read-config.ts'
import { listen } from './listen.ts'

export interface MetricsEndpoint {
  readonly url: string
  stop(): Promise<void>
}

/** Starts to tell the metrics, on a port of their own. Rejects if that port is not to be had. */
export async function startMetricsEndpoint(
  scrape: Scrape,
  { host, managementPort }: Pick<Config, 'host' | 'managementPort'>,
  logger: Logger,
): Promise<MetricsEndpoint> {
  const server = createMetricsServer(scrape, logger)
  let url: string
  try {
    url = await listen(server, host, managementPort)
  } catch (error) {
    throw new Error(`MANAGEMENT_PORT is not to be had: ${(error as Error).message}`, { cause: error })
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
