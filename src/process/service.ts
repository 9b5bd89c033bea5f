import cluster from 'node:cluster'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { sumOf } from '../adapters/metrics-prometheus/worker-metrics.ts'
import { type Application, createApplication } from '../composition/application.ts'
import { type CompositionOptions, standIns } from '../composition/composition-options.ts'
import { webhookSigner } from '../composition/signatures.ts'
import { listen } from './listen.ts'
import type { MailThread } from './mail-thread.ts'
import { exposeMetrics } from './metrics-endpoint.ts'
import { type OpenSupportDesk, openSupportDesk } from './support-desk.ts'

/** When the service stops, requests in progress have this long to be answered. */
const DRAIN_TIMEOUT_IN_MS = 10_000
const CLOSE_IDLE_EVERY_MS = 50

export interface Service {
  /** Where it listens; undefined if it only delivers. */
  readonly url: string | undefined
  /** Where it serves its metrics; undefined if its supervisor does. */
  readonly metricsUrl: string | undefined
  /** Whether it shows the demo bank at `/`. */
  readonly hasBank: boolean
  /**
   * Accepts nothing more, answers the requests in progress, finishes the mails in progress, and closes all connections.
   * False if {@link DRAIN_TIMEOUT_IN_MS} passed and it had to cut off a request.
   */
  stop(): Promise<boolean>
}

/** What {@link startService} needs. The mail thread has loaded its program, or is doing so. */
export interface ServiceOptions
  extends Pick<CompositionOptions, 'config' | 'databaseUrl' | 'development' | 'logger'> {
  readonly mailThread: MailThread
}

/** Starts a process with the HTTP API and all jobs. Rejects if a port is in use or not permitted. */
export async function startService(options: ServiceOptions): Promise<Service> {
  // The bank lives in the memory of one process, so workers have none.
  const bank = cluster.isWorker ? undefined : await options.development?.loadDemoBank()
  const application = await createThreads(options, bank?.router)
  const { server, readiness } = application

  const url = await listen(server, options.config)
  bank?.open(url)
  // Workers have no management port. Their supervisor has it, and the support desk.
  const support = cluster.isWorker ? undefined : await openSupportDesk(options)
  const { metricsUrl, stop } = await startJobs(application, options, support)
  return {
    url,
    metricsUrl,
    hasBank: bank !== undefined,
    stop: async () => {
      // A client may still ask over a connection that is in use.
      readiness.end()
      const drained = await drain(server)
      await stop()
      return drained
    },
  }
}

/** Starts a worker without an HTTP API: it sends mail and runs retention. Rejects if its metrics port is in use or not permitted. */
export async function startDelivery(options: ServiceOptions): Promise<Service> {
  const { metricsUrl, stop } = await startJobs(await createThreads(options), options)
  return {
    url: undefined,
    metricsUrl,
    hasBank: false,
    stop: async () => {
      await stop()
      return true
    },
  }
}

/** Assembles the service in this thread, and the delivery of its mails in the mail thread. Nothing runs yet. */
async function createThreads(
  { mailThread, ...options }: ServiceOptions,
  extraRouter?: CompositionOptions['extraRouter'],
): Promise<Application> {
  const { config, databaseUrl, development } = options
  const {
    production,
    logLevel,
    dataDir,
    mail,
    bounces,
    letter,
    brands,
    report,
    policy,
    unsealedUntil,
    tracing,
  } = config
  const instanceId = randomUUID()
  const requests = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const [application] = await Promise.all([
    createApplication({ ...options, extraRouter, instanceId, requests, deliverer: mailThread }),
    mailThread.prepare(
      {
        config: {
          ...{ production, logLevel, dataDir, mail, bounces, letter, brands, report, policy, unsealedUntil },
          webhookDestinations: config.webhooks.destinations,
          otpKeys: config.otpKeys ?? standIns({ development }).otpKeys,
          databaseSharding: config.databaseSharding,
          tracing: tracing && { ...tracing, endpoint: tracing.endpoint.href },
        },
        databaseUrl,
        instanceId,
        requests,
      },
      webhookSigner({ config, development }),
    ),
  ])
  return application
}

/** Starts what both kinds of process have: the jobs, the mail thread and the metrics. */
async function startJobs(
  { jobs, metrics, close }: Application,
  { config, logger, mailThread }: ServiceOptions,
  support?: OpenSupportDesk,
): Promise<{ metricsUrl: string | undefined; stop: () => Promise<void> }> {
  const readMetrics = async () =>
    sumOf(
      await Promise.all([
        metrics.getMetricsAsJSON(),
        mailThread.metrics(),
        ...(support ? [support.metrics.getMetricsAsJSON()] : []),
      ]),
    )
  const metricsEndpoint = await exposeMetrics(readMetrics, config, logger, support)
  mailThread.start()
  for (const job of jobs) job.start()
  return {
    metricsUrl: metricsEndpoint?.url,
    stop: async () => {
      await Promise.all([mailThread.finish(), ...jobs.map((job) => job.stop())])
      await metricsEndpoint?.stop()
      await Promise.all([mailThread.close(), close(), support?.close()])
    },
  }
}

async function drain(server: Server): Promise<boolean> {
  const closed = once(server, 'close')
  server.close()
  // Otherwise a connection that becomes idle after its last answer would be kept alive.
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
