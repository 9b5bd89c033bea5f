import { createServer, type Server } from 'node:http'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'

/** Metrics in the text format of Prometheus. Rejects if they are not to be had now. */
export type Scrape = () => Promise<string>

const TIMEOUTS_IN_MS = { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 65_000 }

/**
 * Answers scrapes and nothing else, not yet listening. Nobody is asked who they are: its port is for the network of the
 * operator, which is why it is a port of its own.
 */
export function createMetricsServer(scrape: Scrape, logger: Logger): Server {
  return createServer(TIMEOUTS_IN_MS, async (request, response) => {
    const answer = (status: number, text: string) => {
      response.writeHead(status, {
        'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE,
        'Content-Length': Buffer.byteLength(text),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      response.end(text)
    }

    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || request.url?.split('?')[0] !== '/metrics') {
      answer(404, 'There is /metrics here, to be read\n')
      return
    }
    try {
      answer(200, await scrape())
    } catch (error) {
      // Half of the numbers would be worse than none: where a worker is missing, its counters look as if set back.
      logger.warn({ err: error }, 'scrape failed')
      answer(503, 'The metrics are not to be had for the moment\n')
    }
  })
}
