import { ContainerModule } from 'inversify'
import type { Logger } from 'pino'
import { decisionLog } from '../adapters/log-pino/decision-log.ts'
import { watchAnchors } from '../adapters/metrics-prometheus/anchor-gauge.ts'
import { commitMetrics } from '../adapters/metrics-prometheus/commit-metrics.ts'
import { watchGroups } from '../adapters/metrics-prometheus/group-sizes.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { watchOutbox } from '../adapters/metrics-prometheus/outbox-gauges.ts'
import { watchPool } from '../adapters/metrics-prometheus/pool-gauges.ts'
import { watchProcess } from '../adapters/metrics-prometheus/process-metrics.ts'
import { watchRetention } from '../adapters/metrics-prometheus/retention-gauge.ts'
import { watchServiceEvents } from '../adapters/metrics-prometheus/service-event-gauges.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { Clock } from '../application/ports/clock.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'
import { Retention } from '../application/ports/retention.ts'
import { AnchorVerifier, TrailAnchors } from '../application/ports/trail-anchors.ts'
import type { Config } from '../config/read-config.ts'
import { OutboxBacklog } from '../contracts/outbox-backlog.ts'
import { ServiceEventBacklog } from '../contracts/service-event-backlog.ts'
import { Commits, Log, StorageConnections, Traces } from './container-keys.ts'

/** Log and traces, and what both and the metrics show of each commit. */
export function observing(logger: Logger, tracing: Tracing | undefined): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Log).toConstantValue(logger)
    bind(Traces).toConstantValue(tracing)
    bind(Commits).toResolvedValue(observeCommits, [Metrics, Log])
  })
}

/** The metrics of the service, with those of its process and of what all processes share. */
export function observingService({ retention: periods }: Pick<Config, 'retention'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Metrics).toResolvedValue(
      (backlog, events, retention, anchors, verifier, clock, { pool, statements }) => {
        const metrics = new Metrics()
        watchOutbox(metrics.registry, backlog, clock)
        watchServiceEvents(metrics.registry, events, clock)
        watchRetention(metrics.registry, retention, clock, periods)
        watchAnchors(metrics.registry, anchors, verifier, clock)
        watchPool(metrics.registry, pool)
        watchGroups(metrics.registry, statements)
        watchProcess(metrics.registry)
        return metrics
      },
      [
        OutboxBacklog,
        ServiceEventBacklog,
        Retention,
        TrailAnchors,
        AnchorVerifier,
        Clock,
        StorageConnections,
      ],
    )
  })
}

/** The metrics of a mail thread. Its process adds them to its own. */
export function observingMails(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Metrics).toResolvedValue(
      ({ pool }) => {
        const metrics = new Metrics()
        watchPool(metrics.registry, pool)
        return metrics
      },
      [StorageConnections],
    )
  })
}

/** Counts and logs each commit. If one of the two fails, the other still runs and the error is logged. */
export function observeCommits(metrics: Metrics, logger: Logger): CommitListener {
  const listeners = [commitMetrics(metrics), decisionLog(logger)]
  return (commit) => {
    for (const listener of listeners) {
      try {
        listener(commit)
      } catch (error) {
        logger.error({ err: error }, 'a commit was not observed')
      }
    }
  }
}

/** Loads the tracing only if the configuration names a collector. */
export async function loadTracing({
  config,
  logger,
  instanceId,
}: {
  readonly config: Pick<Config, 'tracing'>
  readonly logger: Logger
  readonly instanceId: string
}): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined
  const { Tracing } = await import('../adapters/tracing-otel/tracing.ts')
  return new Tracing({ ...config.tracing, instanceId }, logger)
}
