import type { Logger } from 'pino'
import { decisionLog } from '../adapters/log-pino/decision-log.ts'
import { commitMetrics } from '../adapters/metrics-prometheus/commit-metrics.ts'
import type { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import type { CommitListener } from '../application/ports/commit-listener.ts'

/** Counts and logs what the stores commit. Should one of the two fail, the other still has its turn, and the log says so. */
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
