import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'

/** A worker that died is replaced after this pause, so that a crash loop does not use up the machine. */
const PAUSE_BEFORE_REPLACEMENT_IN_MS = 1000

/** The message with which a supervisor asks a worker to stop. */
export const STOP = 'stop'

/**
 * Keeps `count` worker processes running on one port, each with `env` added to the environment of this process. Returns a function
 * that stops them. It resolves when all have exited, with true if each finished the work that it had accepted.
 */
export function supervise(
  count: number,
  env: Record<string, string>,
  logger: Logger,
): () => Promise<boolean> {
  let stopping = false

  const keepOne = async (): Promise<boolean> => {
    for (;;) {
      const worker = cluster.fork(env)
      // A worker ignores messages until it is listening.
      worker.once('listening', () => stopping && requestStop(worker))
      const [exitCode, signal] = await once(worker, 'exit')
      if (stopping) return exitCode === 0
      logger.error({ worker: worker.process.pid, exitCode, signal }, 'worker died')
      await wait(PAUSE_BEFORE_REPLACEMENT_IN_MS)
      if (stopping) return false
    }
  }
  const all = Promise.all(Array.from({ length: count }, keepOne))

  return async () => {
    stopping = true
    for (const worker of Object.values(cluster.workers ?? {}) as Worker[]) requestStop(worker)
    return (await all).every(Boolean)
  }
}

/** Ignores a failure to send: that worker has just exited. */
function requestStop(worker: Worker): void {
  worker.send(STOP, () => {})
}
