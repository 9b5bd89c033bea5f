import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'

/** A worker that dies is replaced after this pause, so that one that cannot live does not eat the machine. */
const PAUSE_BEFORE_REPLACEMENT_IN_MS = 1000

/** What a supervisor sends to a worker that is to end. */
export const STOP = 'stop'

/**
 * Keeps `count` worker processes running on one port, each with `env` besides the environment of this one. Returns
 * what stops them: it resolves when all are gone, true if each of them finished what it had accepted.
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
      // Before it has begun to start it hears nothing.
      worker.once('listening', () => stopping && tellToStop(worker))
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
    for (const worker of Object.values(cluster.workers ?? {}) as Worker[]) tellToStop(worker)
    return (await all).every(Boolean)
  }
}

/** One that has just died cannot be told, which is no error: it stopped. */
function tellToStop(worker: Worker): void {
  worker.send(STOP, () => {})
}
