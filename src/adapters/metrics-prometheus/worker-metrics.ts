import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import { Metrics } from './metrics.ts'
import type { Scrape } from './metrics-server.ts'

/*
 * With several workers behind one port each scrape would see another worker, so the process above them asks all of them
 * and adds up what they tell. Not over the messages of prom-client itself: those wait in vain for a worker that is
 * still starting or has just died, and keep for good what the others have answered meanwhile.
 *
 * What a worker has counted stays in the sum when it dies, as far as it was told: a sum that falls is a restart to Prometheus,
 * which would take all that the others have ever counted for new.
 */

const ANSWER_TIMEOUT_IN_MS = 5000

interface Answer {
  /** The number of the question. */
  readonly metricsFor: number
  /** Undefined if they could not be had. */
  readonly metrics?: readonly object[]
}

/** Has this worker tell its metrics to the process above it. */
export function answerSupervisor(registry: Registry): void {
  process.on('message', async (message) => {
    if (typeof message !== 'object' || message === null || !('tellMetrics' in message)) return
    const metrics = await registry.getMetricsAsJSON().catch(() => undefined)
    // Whoever asked may be gone by now.
    process.send?.({ metricsFor: message.tellMetrics, metrics }, undefined, undefined, () => {})
  })
}

/** The metrics of all workers that serve. Rejects if one of them lives and does not tell in time. */
export function scrapeOfWorkers({ timeoutInMs = ANSWER_TIMEOUT_IN_MS } = {}): Scrape {
  const serving = new Set<Worker>()
  /** What each of them told last. */
  const lastReported = new Map<Worker, readonly object[]>()
  let exitedWorkers: readonly object[] = []
  /** What nobody but their supervisor can count. */
  const own = new Metrics()
  let questions = 0

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
        const metrics = await ask(worker, ++questions, timeoutInMs)
        // What it told may come in after it has died, and is counted with the dead or not at all.
        if (metrics && serving.has(worker)) lastReported.set(worker, metrics)
      }),
    )
    const counted = await own.registry.getMetricsAsJSON()
    return sumOf([...lastReported.values(), exitedWorkers, counted]).metrics()
  }
}

function sumOf(metrics: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate([...metrics])
}

/** Whether it only ever rises. What a worker is like at the moment ends with it. */
function isCount(metric: object): boolean {
  return 'type' in metric && (metric.type === 'counter' || metric.type === 'histogram')
}

/** What the worker tells; undefined if it dies before it could. */
function ask(worker: Worker, question: number, timeoutInMs: number): Promise<readonly object[] | undefined> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      worker.off('message', hear).off('disconnect', gone)
      settle()
    }
    const fail = (what: string) => end(() => reject(new Error(`Worker ${worker.process.pid} ${what}`)))
    const gone = () => end(() => resolve(undefined))
    const hear = ({ metricsFor, metrics }: Answer) => {
      if (metricsFor !== question) return
      if (metrics) end(() => resolve(metrics))
      else fail('cannot tell its metrics')
    }
    const timer = setTimeout(() => fail('does not answer'), timeoutInMs)
    worker.on('message', hear).once('disconnect', gone)
    worker.send({ tellMetrics: question }, (error) => error && gone())
  })
}
