import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { Metrics } from './metrics.ts'
import type { Scrape } from './metrics-server.ts'

/*
 * Several workers share one port, so each scrape would reach another worker. The supervisor therefore asks all workers for
 * their metrics and adds them up. The messages of prom-client do not fit: they wait for a worker that is still starting or
 * has just died, and they never free the answers of the others.
 *
 * Keep a dead worker's last counts in the sum. If the sum fell, Prometheus would treat it as a counter reset and count
 * everything again.
 */

const ANSWER_TIMEOUT_IN_MS = 5000

interface Answer {
  /** The number of the request for metrics. */
  readonly metricsFor: number
  /** Undefined if the worker could not collect them. */
  readonly metrics?: readonly object[]
}

/** Lets this worker send its metrics to the supervisor when the supervisor asks for them. */
export function answerSupervisor(read: () => Promise<readonly object[]>, logger: Logger): void {
  process.on('message', async (message) => {
    if (typeof message !== 'object' || message === null || !('reportMetrics' in message)) return
    // The supervisor fails its scrape then, and says which worker it was. Only the worker knows why.
    const metrics = await read().catch((error: unknown) => {
      logger.error({ err: error }, 'collecting the metrics failed')
      return undefined
    })
    // The supervisor may have ended by now.
    process.send?.({ metricsFor: message.reportMetrics, metrics }, undefined, undefined, () => {})
  })
}

/**
 * The metrics of all workers that serve. Rejects if a live worker does not answer in time.
 *
 * @param beside what the supervisor itself counts besides its workers.
 */
export function scrapeOfWorkers({
  timeoutInMs = ANSWER_TIMEOUT_IN_MS,
  beside = undefined as Registry | undefined,
} = {}): Scrape {
  const serving = new Set<Worker>()
  /** The last answer of each worker. */
  const lastReported = new Map<Worker, readonly object[]>()
  let exitedWorkers: readonly object[] = []
  /** The metrics that only the supervisor can count. */
  const own = new Metrics()
  let requests = 0

  cluster.on('listening', (worker) => serving.add(worker))
  cluster.on('exit', (worker, exitCode) => {
    serving.delete(worker)
    exitedWorkers = sumOf([
      exitedWorkers,
      (lastReported.get(worker) ?? []).filter(isCount),
    ]).getMetricsAsArray()
    lastReported.delete(worker)
    if (exitCode !== 0) own.workerDeaths.inc()
  })

  return async () => {
    await Promise.all(
      [...serving].map(async (worker) => {
        const metrics = await ask(worker, ++requests, timeoutInMs)
        // The answer may arrive after the worker has exited. `exitedWorkers` then has its last counts, so drop this one.
        if (metrics && serving.has(worker)) lastReported.set(worker, metrics)
      }),
    )
    const counted = await Promise.all(
      [own.registry, ...(beside ? [beside] : [])].map((registry) => registry.getMetricsAsJSON()),
    )
    return sumOf([...lastReported.values(), exitedWorkers, ...counted]).metrics()
  }
}

/** Adds up metrics that different threads or processes counted. */
export function sumOf(metrics: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate([...metrics])
}

/** Whether the metric can only rise. A gauge of a worker ends with the worker. */
function isCount(metric: object): boolean {
  return 'type' in metric && (metric.type === 'counter' || metric.type === 'histogram')
}

/** Asks a worker for its metrics. Undefined if the worker dies before it answers. */
function ask(worker: Worker, request: number, timeoutInMs: number): Promise<readonly object[] | undefined> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      worker.off('message', onAnswer).off('disconnect', onDisconnect)
      settle()
    }
    const fail = (what: string) => end(() => reject(new Error(`Worker ${worker.process.pid} ${what}`)))
    const onDisconnect = () => end(() => resolve(undefined))
    const onAnswer = ({ metricsFor, metrics }: Answer) => {
      if (metricsFor !== request) return
      if (metrics) end(() => resolve(metrics))
      else fail('cannot collect its metrics')
    }
    const timer = setTimeout(() => fail('does not answer'), timeoutInMs)
    worker.on('message', onAnswer).once('disconnect', onDisconnect)
    worker.send({ reportMetrics: request }, (error) => error && onDisconnect())
  })
}
