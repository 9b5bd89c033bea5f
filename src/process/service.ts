import cluster from 'node:cluster'
import { once } from 'node:events'
import { Server } from 'node:http'
import type Router from '@koa/router'
import { Deliverer } from '../adapters/deliverer/deliverer.ts'
import { Readiness } from '../adapters/http-koa/edge/readiness.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { answerSupervisor } from '../adapters/metrics-prometheus/worker-metrics.ts'
import { RetentionCron } from '../adapters/retention-cron/retention-cron.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { MailTransport } from '../application/ports/mail-transport.ts'
import {
  type CompositionOptions,
  createContainer,
  LockNoticeDeliverer,
  StorageConnections,
} from '../composition/container.ts'
import { listen } from './listen.ts'
import { type MetricsEndpoint, startMetricsEndpoint } from './metrics-endpoint.ts'

/** Requests under way get this long to be answered once the service is told to stop. */
const DRAIN_TIMEOUT_IN_MS = 10_000
const CLOSE_IDLE_EVERY_MS = 50

export interface Service {
  /** Where it listens; undefined if it only delivers. */
  readonly url: string | undefined
  /** Where it tells its metrics; undefined if its supervisor does. */
  readonly managementUrl: string | undefined
  /** Whether it shows the demo bank at `/`. */
  readonly hasBank: boolean
  /**
   * Accepts nothing more, answers what it has, hands over the mails under way, and lets go of everything.
   * False if a request had to be cut off after {@link DRAIN_TIMEOUT_IN_MS}.
   */
  stop(): Promise<boolean>
}

/** Starts one process of the service: an HTTP server, a deliverer, and purges on schedule. Rejects if a port is not to be had. */
export async function startService(foundation: CompositionOptions): Promise<Service> {
  const tracing = await startTracing(foundation)
  const bank = await loadDemoBank(foundation)
  const container = createContainer({ ...foundation, tracing, extraRouter: bank?.router })
  const server = container.get(Server)
  const { host, port } = foundation.config

  const url = await listen(server, host, port)
  bank?.open(url)
  const management = await manage(container, foundation)
  const jobs = startJobs(container)
  return {
    url,
    managementUrl: management?.url,
    hasBank: bank !== undefined,
    stop: async () => {
      // Somebody may ask on a connection that is still being served.
      container.get(Readiness).end()
      const drained = await drain(server)
      await jobs.stop()
      await management?.stop()
      await tracing?.stop()
      return drained
    },
  }
}

/** Starts a process that delivers mails, purges on schedule, and serves nothing but its metrics. */
export async function startDelivery(foundation: CompositionOptions): Promise<Service> {
  const tracing = await startTracing(foundation)
  const container = createContainer({ ...foundation, tracing })
  const management = await manage(container, foundation)
  const jobs = startJobs(container)
  return {
    url: undefined,
    managementUrl: management?.url,
    hasBank: false,
    stop: async () => {
      await jobs.stop()
      await management?.stop()
      await tracing?.stop()
      return true
    },
  }
}

/** Loads what traces, if somebody is to take the traces; else there is nothing of it in the process. */
async function startTracing({
  config,
  logger,
}: Pick<CompositionOptions, 'config' | 'logger'>): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined
  const { Tracing } = await import('../adapters/tracing-otel/tracing.ts')
  return new Tracing(config.tracing, logger)
}

/** The demo bank of a checkout, as far as the service knows it. */
interface DemoBank {
  readonly router: Router
  /** Opens it, once it is known where the service listens. */
  open(countersignUrl: string): void
}

const DEMO_BANK = new URL('../../examples/bank/demo-bank.ts', import.meta.url).href

/**
 * Loads the bank of a development set-up. It needs the memory of one process, and the issuer, directory and mailbox of such a
 * set-up. An installed package has no bank, and a checkout without development dependencies lacks what the bank imports.
 */
async function loadDemoBank({ config, developmentKeys }: CompositionOptions): Promise<DemoBank | undefined> {
  const { auth, keycloak, mail } = config
  if (!developmentKeys || auth || keycloak || mail || cluster.isWorker) return undefined
  try {
    const { DemoBank } = (await import(DEMO_BANK)) as { DemoBank: new () => DemoBank }
    return new DemoBank()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Tells the metrics of this process on the management port, or where it has a supervisor to that. */
async function manage(
  container: ReturnType<typeof createContainer>,
  { config, logger }: CompositionOptions,
): Promise<MetricsEndpoint | undefined> {
  const { registry } = container.get(Metrics)
  if (!cluster.isWorker) return startMetricsEndpoint(() => registry.metrics(), config, logger)
  answerSupervisor(registry)
  return undefined
}

function startJobs(container: ReturnType<typeof createContainer>) {
  const jobs = [container.get(Deliverer), container.get(LockNoticeDeliverer), container.get(RetentionCron)]
  for (const job of jobs) job.start()
  return {
    stop: async () => {
      await Promise.all(jobs.map((job) => job.stop()))
      await container.get(MailTransport).close()
      await container.get(StorageConnections).close()
    },
  }
}

async function drain(server: Server): Promise<boolean> {
  const closed = once(server, 'close')
  server.close()
  // A connection that falls idle after its last answer would otherwise be kept alive.
  const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS)
  let drained = true
  const cutOff = setTimeout(() => {
    drained = false
    server.closeAllConnections()
  }, DRAIN_TIMEOUT_IN_MS)

  await closed
  clearInterval(closeIdle)
  clearTimeout(cutOff)
  return drained
}
