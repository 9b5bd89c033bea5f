import { setTimeout as wait } from 'node:timers/promises'
import { findRunningServer, serverFiles } from './running-server.ts'
import type { RunProgram } from './server-programs.ts'

const LOOK_INTERVAL_IN_MS = 1000

/**
 * Starts the server of the folder again, at the port it had, whenever it has ended: killed, or by a disk without room for its
 * log, after which PostgreSQL does not come back by itself. Tries for as long as it takes. Returns what ends the watch.
 */
export function restartWhenEnded(folder: string, run: RunProgram): () => Promise<void> {
  const { cluster, log } = serverFiles(folder)
  const ended = new AbortController()
  const { signal } = ended

  const watch = async () => {
    while (!signal.aborted) {
      await wait(LOOK_INTERVAL_IN_MS, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted || findRunningServer(folder)) continue
      await run('pg_ctl', 'start', '--pgdata', cluster, '--log', log, '--wait')
    }
  }
  const watching = (async () => {
    // Why it does not start is in its log.
    while (!signal.aborted) await watch().catch(() => {})
  })()
  return async () => {
    ended.abort()
    await watching
  }
}
