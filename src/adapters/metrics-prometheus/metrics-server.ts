import { createServer, type RequestListener, type Server } from 'node:http'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'

/** Returns the metrics in the text format of Prometheus. Rejects if they are temporarily unavailable. */
export type Scrape = () => Promise<string>

const TIMEOUTS_IN_MS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 65_000,
}
/** How long a client may take nothing of its answer. */
const SEND_TIMEOUT_IN_MS = 20_000
/** Each may be sent a text of its own, so this bounds the memory that slow clients take. */
const MOST_CONNECTIONS = 64

/** What else the server answers: everything at a path, with a sign-in of its own. */
export interface GuardedPages {
  /** Without a slash at its end. */
  readonly path: string
  readonly answer: RequestListener
}

/**
 * Creates a server that answers scrapes, and requests for `pages` if there are any. It does not listen yet. It does not authenticate
 * scrapes, so it has a port of its own, which only the operator's network may reach.
 */
export function createMetricsServer(scrape: Scrape, logger: Logger, pages?: GuardedPages): Server {
  const server = createServer(TIMEOUTS_IN_MS, async (request, response) => {
    const answer = (status: number, text: string) => {
      response.writeHead(status, {
        'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE,
        'Content-Length': Buffer.byteLength(text),
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      response.end(text)
    }

    const [path] = request.url?.split('?') ?? []
    if (pages && (path === pages.path || path?.startsWith(`${pages.path}/`))) {
      pages.answer(request, response)
      return
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || path !== '/metrics') {
      answer(404, 'Only GET /metrics exists here\n')
      return
    }
    try {
      answer(200, await scrape())
    } catch (error) {
      // Fail the whole scrape. Without the numbers of one worker, Prometheus would see its counters as reset.
      logger.warn({ err: error }, 'scrape failed')
      answer(503, 'The metrics are temporarily unavailable\n')
    }
  })
  server.timeout = SEND_TIMEOUT_IN_MS
  server.maxConnections = MOST_CONNECTIONS
  return server
}
