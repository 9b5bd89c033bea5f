import { ContainerModule } from 'inversify'
import type { Logger } from 'pino'
import { decisionLog } from '../adapters/log-pino/decision-log.ts'
import { commitMetrics } from '../adapters/metrics-prometheus/commit-metrics.ts'
import { watchGroups } from '../adapters/metrics-prometheus/group-sizes.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { watchOutbox } from '../adapters/metrics-prometheus/outbox-gauges.ts'
import { watchPool } from '../adapters/metrics-prometheus/pool-gauges.ts'
import { watchProcess } from '../adapters/metrics-prometheus/process-metrics.ts'
import { watchRetention } from '../adapters/metrics-prometheus/retention-gauge.ts'
import type { Tracing } from '../adapters/tracing-otel/tracing.ts'
import { Clock } from '../application/ports/clock.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'
import { Retention } from '../application/ports/retention.ts'
import { OutboxBacklog } from '../contracts/outbox-backlog.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Commits, Log, StorageConnections, Traces } from './container-keys.ts'

/** Log, metrics and traces. */
export function observing(
  { config, logger }: CompositionOptions,
  tracing: Tracing | undefined,
): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Log).toConstantValue(logger)
    bind(Traces).toConstantValue(tracing)
    bind(Commits).toResolvedValue(observeCommits, [Metrics, Log])
    bind(Metrics).toResolvedValue(
      (backlog, retention, clock, { pool, statements }) => {
        const metrics = new Metrics()
        watchOutbox(metrics.registry, backlog, clock)
        watchRetention(metrics.registry, retention, clock, config.retentionInDays)
        watchPool(metrics.registry, pool)
        watchGroups(metrics.registry, statements)
        watchProcess(metrics.registry)
        return metrics
      },
      [OutboxBacklog, Retention, Clock, StorageConnections],
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
export async function loadTracing({ config, logger }: CompositionOptions): Promise<Tracing | undefined> {
  if (!config.tracing) return undefined
  const { Tracing } = await import('../adapters/tracing-otel/tracing.ts')
  return new Tracing(config.tracing, logger)
}
