import { setTimeout as wait } from 'node:timers/promises'
import { findRunningServer, serverFiles } from './running-server.ts'
import type { RunProgram } from './server-programs.ts'

const LOOK_INTERVAL_IN_MS = 1000

/**
 * Restarts the server of the folder on the same port whenever it has ended. It may have been killed, or had no disk space for its
 * log; PostgreSQL does not restart by itself after that. Retries without limit. Returns a function that ends the watch.
 */
export function restartWhenEnded(folder: string, run: RunProgram): () => Promise<void> {
  const { cluster, log } = serverFiles(folder)
  const ended = new AbortController()
  const { signal } = ended

  const watch = async () => {
    while (!signal.aborted) {
      // It rejects only at the end.
      await wait(LOOK_INTERVAL_IN_MS, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted || findRunningServer(folder)) continue
      await run('pg_ctl', 'start', '--pgdata', cluster, '--log', log, '--wait')
    }
  }
  const watching = (async () => {
    // The server's log says why it does not start.
    while (!signal.aborted) await watch().catch(() => {})
  })()
  return async () => {
    ended.abort()
    await watching
  }
}
